"""The scene of a clip: frames with camera poses, small planes and motion masks.

`read.py` is the way in; motion trails and strobe both use it.
"""
