"""Files and texts made from a finished curve: timelines, tables, plots, chapters, warnings.

`formats.py` has the table of files in an export.
"""
