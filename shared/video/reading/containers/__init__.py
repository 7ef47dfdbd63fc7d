"""Containers as bytes, read without FFmpeg.

They show where a file is cut off, and where another file follows.
"""
