"""Measure the motion of a clip: what the camera does, what the subject does, and where the cuts are.

Motion is in frame diagonals per second, so it does not depend on the picture size or the frame rate.
"""
