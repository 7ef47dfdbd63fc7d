"""Frame interpolation by optical flow.

`pair.py` is the entry point.
"""
