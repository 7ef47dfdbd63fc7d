"""Chroma keyer: mattes from the colour of a green or blue screen.

It needs no model.
"""
