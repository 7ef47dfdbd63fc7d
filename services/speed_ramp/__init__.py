"""Speed ramps: motion, speed curves, and videos retimed along them.

Each operation is a file; the rooms hold analysis, motion, curves, pictures, sound and handover.
"""
