"""Compositing a subject over a background, in Y, U and V planes of 8 bits.

One step per file; `compositor.py` puts them in order. All planes are uint8, chroma half as wide and high (4:2:0).
"""
