"""Stamps of the subject, the clean plate behind it, and the sequence picture.

The operation `services/effects/strobe.py` uses them.
"""
