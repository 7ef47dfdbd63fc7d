"""Strobe: the stamps, the clean plate behind the subject, the picture of a shot.

The operation itself is `services/effects/strobe.py`.
"""
