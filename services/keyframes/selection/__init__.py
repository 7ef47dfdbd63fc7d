"""Choice of keyframes within shots.

Shots are built from transitions; similar frames are grouped.
"""
