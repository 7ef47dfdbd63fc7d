"""Mattes of opaque subjects, by comparison with a picture of the empty scene.

The picture is the clean plate. No model is needed.
"""
