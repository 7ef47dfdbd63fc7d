"""Temporal median of aligned samples, of which each pixel counts only some.

Samples lie in a temporary file in bands of rows, so memory does not depend on how many there are.
"""
