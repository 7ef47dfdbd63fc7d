"""Motion trails: which frames become ghosts, how ghosts look, how they are mixed in.

`compositors.py` puts the parts together for one frame.
"""
