"""Colours of still pictures: which space a file is in, and its conversion to sRGB."""
