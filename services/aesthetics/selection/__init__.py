"""Scores, groups and reasons for the choice of pictures."""
