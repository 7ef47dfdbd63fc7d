"""Corrections of a matte after the backend: edges, holes and blobs."""
