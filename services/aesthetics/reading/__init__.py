"""Reading of input files as small pictures for scoring.

A bad file does not stop the others.
"""
