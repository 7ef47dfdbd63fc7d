"""MatAnyone 1 and 2, run frame by frame.

The packages are the user's own installation. Nothing of these packages is in this repository.
"""
