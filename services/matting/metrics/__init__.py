"""Metrics of mattes: errors against the true matte, and flicker.

`matting.compare`, tests and benchmarks measure with them.
"""
