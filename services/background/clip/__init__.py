"""Frames of a clip and of its background, as planes.

The background is a colour, a picture or another clip. Mixing is in `services/background/mixing`.
"""
