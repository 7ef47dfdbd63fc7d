"""Strobe: the stamps, the clean plate behind them and the panorama.

The operation itself is `services/effects/strobe.py`.
"""
