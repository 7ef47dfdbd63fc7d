"""Motion trails: which frames leave a ghost, and how ghosts are mixed.

`compose.py` combines the parts for one frame.
"""
