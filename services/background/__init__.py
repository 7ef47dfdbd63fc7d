"""Background service: clean plates, painted backgrounds, composites, studio.

Each operation is a file; the folders hold the analysis, clips, plates, filling, mixing, parallax and diffusion.
"""
