"""Keyer for subjects in front of a green or blue screen.

It needs no model.
"""
