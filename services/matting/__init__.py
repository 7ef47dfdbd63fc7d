"""Matting: mattes of subjects, masks, and comparisons of backends.

Each operation is a file; the rooms hold backends with their networks, subjects, edges, smoothing and output.
"""
