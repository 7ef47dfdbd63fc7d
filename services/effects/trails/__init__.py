"""Motion trails: choice of the ghosts, their styles, and their mixing.

`compositors.py` makes the picture of one frame from these parts.
"""
