"""Output size, frame rate, pixel format and file format.

The operations of this service share them.
"""
