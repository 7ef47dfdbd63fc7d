"""Zip files: atomic writing, entry names, and zip files of pictures."""
