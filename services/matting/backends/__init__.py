"""Backends, which make mattes: a table of all, and one file or folder for each.

No backend opens video files or knows the outputs.
"""
