"""Shots between transitions, and the choice of their keyframes.

`similar_frames.py` groups keyframes that look alike.
"""
