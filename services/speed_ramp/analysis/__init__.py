"""Motion analysis of a clip, and choice of its speed curve.

`motion_analysis.py` measures a clip and makes a curve from its motion; `choice.py` takes that curve, a given one, or one from listed
speeds.
"""
