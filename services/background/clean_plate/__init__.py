"""Clean plate of a clip: the median of its aligned frames.

`build.py` runs all steps; the operation is `services/background/plate.py`.
"""
