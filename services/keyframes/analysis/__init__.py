"""Frame measurements: changes, histograms, thumbnails, quality.

`scan.py` reads a video once and collects these measures.
"""
