"""Exports of a finished curve: timelines, tables, chapters, plot.

Timelines, tables, plots, chapters and warnings. `formats.py` has the table of files in an export.
"""
