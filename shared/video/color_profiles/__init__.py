"""Colour spaces of still pictures, and conversion to sRGB."""
