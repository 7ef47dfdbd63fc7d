"""Probing of media files: kind, duration, frame rate, timecode and tracks."""
