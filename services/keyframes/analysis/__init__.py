"""Frame measurements: changes, histograms, thumbnails, quality.

`scanner.py` reads a video once and collects these measures in a `Scan`.
"""
