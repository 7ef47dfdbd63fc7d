"""Measures of frames: differences, histograms, thumbnails, quality.

`scan.py` reads the video once and collects them.
"""
