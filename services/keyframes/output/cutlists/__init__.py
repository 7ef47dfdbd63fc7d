"""Cut lists for editing programs: EDL, FCPXML, OpenTimelineIO, QP file, tables.

`frame_grid.py` rounds times to the frames of a timeline.
"""
