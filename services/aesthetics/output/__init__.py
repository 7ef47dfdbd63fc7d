"""Output files: chosen pictures, contact sheet, score table.

Chosen pictures are written at once, so none is held in memory.
"""
