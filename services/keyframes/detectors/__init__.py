"""Shot detectors.

A detector scans a video and returns the transitions between shots. Each has one row in `table.py`.
"""
