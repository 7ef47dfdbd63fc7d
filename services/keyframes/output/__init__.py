"""Output files of `keyframes.detect`: images, gallery, cut lists.

Gallery and cut lists are made from the report of a video in `report.py`.
"""
