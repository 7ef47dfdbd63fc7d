"""MatAnyone 1 and 2, run frame by frame with the user's own installation.

Nothing of these packages is in this repository.
"""
