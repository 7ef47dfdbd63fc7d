"""Scoring, grouping and explained choice of pictures.

Best frames and top images use it.
"""
