"""Matting service: mattes of subjects, masks, backend comparison.

Each operation is a file; the rooms hold backends with their networks, subjects, edges, smoothing and output.
"""
