"""Mattes of opaque subjects from the difference to a picture of the empty scene.

They need no model.
"""
