"""Sound of a retimed clip: stretched, resampled or silent.

`modes.py` has the table of audio modes; `tracks.py` carries all tracks from the source to the output.
"""
