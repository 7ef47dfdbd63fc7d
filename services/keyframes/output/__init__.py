"""Output files of `keyframes.detect`: images, gallery, cut lists.

`report.py` defines the report on a video, from which the gallery and the cut lists are made.
"""
