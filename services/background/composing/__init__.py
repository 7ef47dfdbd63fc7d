"""Frames of a composite: reading and mixing of their layers."""
