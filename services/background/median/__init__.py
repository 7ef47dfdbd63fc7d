"""Temporal median of aligned frames (samples) with masked pixels.

A temporary file stores the samples in bands of rows, and one band at a time is read into memory.
"""
