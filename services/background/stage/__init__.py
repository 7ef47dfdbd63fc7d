"""Rendering of the studio: the subject over a background that moves with the camera."""
