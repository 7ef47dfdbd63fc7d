"""Files that `keyframes.detect` writes: images, gallery, cut lists.

`report.py` holds the report of a video that they are made from.
"""
