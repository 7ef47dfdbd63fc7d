"""Exports of a finished curve: timelines, tables, chapters, plot.

Also warnings about properties that a rendered clip loses. `formats.py` has the table of files in an export.
"""
