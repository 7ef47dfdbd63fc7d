"""Comparison of two frames by content, histogram, pixels, structure and tones.

Detectors choose among the measures.
"""
