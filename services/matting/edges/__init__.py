"""Corrections of mattes: edges, holes and blobs.

They apply to the mattes of all backends.
"""
