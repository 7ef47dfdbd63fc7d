"""Clean plate (the scene without the subject): the median of a clip's aligned frames.

`build.py` runs all steps; the operation is `services/background/plate.py`.
"""
