"""Measurements of one reduced pass over a clip and its matte.

The camera's path and height, the subject's exposure, and the side that light comes from.
"""
