"""Measurements of a clip and its matte.

Made in one pass at reduced size: the camera's path and height, the subject's exposure, and the side that light comes from.
"""
