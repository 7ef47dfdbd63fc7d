"""Colour spaces of still pictures, and their conversion to sRGB."""
