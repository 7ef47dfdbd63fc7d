"""The scene of a clip: frames, camera poses, planes and motion masks.

Motion trails and strobe read their clips through `read.py`.
"""
