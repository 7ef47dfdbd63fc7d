"""Corrections of mattes: edges, holes and blobs."""
