"""Pixel arithmetic shared by several backends."""
