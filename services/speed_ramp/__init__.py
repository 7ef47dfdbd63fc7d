"""Speed ramp service: motion analysis, speed curves, retimed videos.

Each operation is a file; the rooms hold analysis, motion, curves, pictures, sound and handover.
"""
