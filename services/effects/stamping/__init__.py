"""Stamps of the subject, clean plates, and the sequence picture.

The operation `services/effects/strobe.py` uses them.
"""
