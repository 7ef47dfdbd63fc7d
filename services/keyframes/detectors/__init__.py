"""Shot detectors: one file each, and one row each in `table.py`.

A detector scans a video and returns its transitions.
"""
