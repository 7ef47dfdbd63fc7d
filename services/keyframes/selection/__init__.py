"""Shots from transitions, and the choice of keyframes within them.

`similar_frames.py` groups keyframes that look alike.
"""
