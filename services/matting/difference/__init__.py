"""Mattes of opaque subjects from the difference to a clean plate.

No model is needed.
"""
