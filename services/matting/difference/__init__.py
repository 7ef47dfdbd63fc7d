"""Mattes of opaque subjects by difference to a clean plate.

They need no model.
"""
