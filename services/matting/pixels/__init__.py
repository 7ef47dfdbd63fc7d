"""Pixel arithmetic shared by several backends.

They know neither backends nor files.
"""
