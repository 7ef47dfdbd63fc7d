"""Probing of media files: kind, duration, frame rate, timecode and tracks.

It runs when a file arrives; the record of a medium is its result.
"""
