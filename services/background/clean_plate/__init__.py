"""Clean plate of a clip: the median of aligned samples.

`build.py` runs all steps; the operation is `services/background/plate.py`.
"""
