"""Moving-camera views of a still picture, with parallax.

`torn_surface.py` computes the source coordinates of each pixel of a view; `moving_plate.py` reads the colours at these coordinates.
"""
