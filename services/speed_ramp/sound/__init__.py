"""Sound along a speed curve: stretched or resampled, with silence in freezes.

`modes.py` has the table of ways; `tracks.py` carries all tracks from the source to the output.
"""
