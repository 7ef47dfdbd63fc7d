"""Filling holes of a plate: one way per file, one row per way in `table.py`.

A hole is a place that the subject hides in every frame.
"""
