"""Motion trails: choice, styling and mixing of ghosts, the copies that follow a subject.

`compositors.py` makes the picture of one frame from these parts.
"""
