"""Backends that compute mattes.

A table of all, and one file or folder for each. No backend opens video files or knows the outputs.
"""
