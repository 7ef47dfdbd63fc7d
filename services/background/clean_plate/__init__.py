"""Make the clean plate of a clip: sample, align, take the median.

`build.py` puts the steps together; the operation is `services/background/plate.py`.
"""
