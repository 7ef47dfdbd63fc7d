"""Mattes of opaque subjects by their difference from a picture of the empty scene, without a model."""
