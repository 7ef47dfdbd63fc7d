"""Files and texts made from a finished curve.

Timelines, tables, plots, chapters and warnings. `formats.py` has the table of files in an export.
"""
