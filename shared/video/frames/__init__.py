"""Decoded frames: planes, colour, display orientation, tone mapping.

Nothing here opens a file.
"""
