"""Choice, styling and mixing of ghosts, which are the copies behind a subject.

`compositors.py` makes the picture of one frame from these parts.
"""
