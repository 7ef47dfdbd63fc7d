"""Comparison of backends: figures, and pictures side by side."""
