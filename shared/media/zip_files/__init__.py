"""Zip files: atomic writing, entry names, and zip files of pictures.

Outputs with many files are zip files; sets of pictures are inputs in that form.
"""
