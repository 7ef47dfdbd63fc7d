"""Motion of a clip: optical flow without the camera, at sampled frames.

Values are pixels per second relative to the picture size.
"""
