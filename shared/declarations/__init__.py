"""Vocabulary of declarations: roles, widgets, units and icons.

Forms and editors know by them what a value means.
"""
