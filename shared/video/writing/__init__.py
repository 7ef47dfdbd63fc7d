"""Writing of video: encoders, tracks, numbered PNG files.

Files are renamed into place when complete.
"""
