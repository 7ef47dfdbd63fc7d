"""Zip files: atomic writing, names of entries, and zip files of pictures."""
