"""Methods that fill holes in a plate.

Each has a file and a row of `table.py`. A hole is a part of the background that the subject hides in every frame.
"""
