"""Measurements of a clip and its matte, made in one pass at reduced size.

They are the camera's path and height, the subject's exposure, and the side that light comes from.
"""
