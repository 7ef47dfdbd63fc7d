"""Background service: clean plates, painted backgrounds, composites, studio.

Each operation is a file; the rooms hold analysis, clips, plates, filling, mixing, parallax and diffusion.
"""
