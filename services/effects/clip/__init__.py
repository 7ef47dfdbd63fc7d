"""Whole clips: rewriting a part of one, cutting its sound, its memory budget.

No effect is computed here.
"""
