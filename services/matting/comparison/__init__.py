"""Comparison of backends: metrics, and pictures side by side.

`matting.compare` runs the backends in turn on the same frames.
"""
