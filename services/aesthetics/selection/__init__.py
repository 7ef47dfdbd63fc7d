"""Scoring, grouping and explained choice of pictures."""
