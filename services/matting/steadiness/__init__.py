"""Smoothing over time, for mattes from single frames."""
