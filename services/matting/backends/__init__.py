"""Matting backends: the methods that compute mattes.

`table.py` lists them. No backend opens video files or knows the outputs.
"""
