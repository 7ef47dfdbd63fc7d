"""Methods to fill the holes of a plate: one file and one row of `table.py` each.

A hole is a part of the background that the subject hides in every frame.
"""
