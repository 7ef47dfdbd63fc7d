"""The analysis of a clip, and the choice of its curve.

`motion_analysis.py` measures a clip and makes a curve from its motion; `choice.py` takes a given, a listed or such a curve.
"""
