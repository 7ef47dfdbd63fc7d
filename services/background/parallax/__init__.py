"""A still picture seen from a camera that moves: depth, views with parallax, and how large the picture has to be.

`torn_surface.py` computes where each pixel of a view comes from; `moving_plate.py` reads colours there.
"""
