"""Mixing of a subject over a background, on 8-bit YUV planes.

Each file holds one step; `compositor.py` runs them in order. All planes are uint8, chroma half as wide and high (4:2:0).
"""
