"""Motion trails: choice, styling and mixing of ghosts.

`compositors.py` makes the picture of one frame from these parts.
"""
