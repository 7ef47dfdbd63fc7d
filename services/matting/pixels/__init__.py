"""Pixel arithmetic shared by several backends.

These functions use neither backends nor files.
"""
