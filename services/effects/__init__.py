"""Effects service: motion trails and strobe.

Each operation is a file; the rooms hold the scene with camera and masks, trails, and stamping.
"""
