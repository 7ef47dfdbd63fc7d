"""Detectors: one algorithm per file, one row per detector in `table.py`.

Each turns the measures of a scan into cuts and transitions.
"""
