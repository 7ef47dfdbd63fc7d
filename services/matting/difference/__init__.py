"""Mattes of opaque subjects from the difference to a clean plate.

They need no model.
"""
