"""Views of a still picture from a moving camera, with parallax.

`torn_surface.py` computes where each pixel of a view comes from; `moving_plate.py` reads colours there.
"""
