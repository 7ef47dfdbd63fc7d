"""Decoded frames: planes, colour, orientation, tone mapping.

Nothing here opens a file.
"""
