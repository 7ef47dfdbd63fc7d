"""Speed ramp service: motion analysis, speed curves, retimed videos.

Each operation is a file; the folders hold the analysis, motion, curves, pictures, sound and exports (`handover`).
"""
