"""Colour spaces of still pictures, and conversion to sRGB.

Colours of a still without a profile count as sRGB.
"""
