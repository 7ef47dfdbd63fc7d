"""Interpolation between two frames by optical flow.

`pair.py` is the entry point.
"""
