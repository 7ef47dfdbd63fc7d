"""Temporal smoothing of mattes from single-frame networks.

Mattes of networks with a memory of their own need no smoothing.
"""
