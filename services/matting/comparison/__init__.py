"""Comparison of backends: metrics, and pictures side by side."""
