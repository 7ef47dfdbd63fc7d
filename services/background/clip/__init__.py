"""Frames of a clip and its background as YUV planes.

The background is a colour, a picture or another clip. Mixing is in `services/background/mixing`.
"""
