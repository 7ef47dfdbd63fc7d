"""Temporal smoothing of mattes from single-frame networks.

Networks with a memory of their own need none.
"""
