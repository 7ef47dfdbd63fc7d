"""Cut lists for editing programs: EDL, FCPXML, OpenTimelineIO, QP file, CSV.

`frame_grid.py` maps the video's frames to those of a timeline.
"""
