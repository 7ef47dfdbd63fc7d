"""The scene of a clip: frames with camera poses, small planes and motion masks.

Motion trails and strobe read their clips through `read.py`.
"""
