"""Chroma keyer for green and blue screens.

It needs no model.
"""
