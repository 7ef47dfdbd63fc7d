"""Temporal median of aligned samples, with a mask per sample.

A temporary file stores samples in bands of rows, so memory does not depend on their number.
"""
