"""Probing of media files.

Kind, duration, frame rate, timecode and tracks.
"""
