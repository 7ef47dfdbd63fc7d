"""Files for editing programs and viewers: timelines, chapters, plots, warnings.

Each takes a finished curve.
"""
