"""Temporal smoothing of mattes from single-frame networks."""
