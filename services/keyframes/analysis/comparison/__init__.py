"""Comparison of two frames: content, histogram, pixels, structure and tones."""
