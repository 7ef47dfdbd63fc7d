"""Temporal median of aligned samples, with a mask per sample.

A temporary file stores the samples in bands of rows, and one band at a time is read into memory.
"""
