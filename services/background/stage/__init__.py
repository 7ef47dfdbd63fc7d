"""Rendering of the video of `background.studio`.

The subject stands before a background that moves with the camera.
"""
