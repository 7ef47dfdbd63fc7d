"""Division of a video into shots, and choice of their keyframes.

`similar_frames.py` groups keyframes that look alike.
"""
