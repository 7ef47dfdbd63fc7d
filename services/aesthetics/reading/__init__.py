"""Input files of a job, read as small views that scores are computed from.

A bad file does not stop the others.
"""
