"""Ends, track formats and joined parts of container files, read without FFmpeg.

They show where a file is cut off, and where another file follows.
"""
