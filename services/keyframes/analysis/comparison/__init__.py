"""Comparison of two frames by content, histogram, pixels, structure and tones."""
