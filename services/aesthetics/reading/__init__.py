"""Input files of a job, read as small views for scoring.

A bad file does not stop the others.
"""
