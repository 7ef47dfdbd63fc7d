"""Choosing one subject of a matte and following it through the clip."""
