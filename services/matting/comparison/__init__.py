"""Backends side by side: their figures and their pictures."""
