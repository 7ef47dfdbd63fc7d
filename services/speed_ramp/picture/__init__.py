"""Pictures along a speed curve.

Picked, blended, motion-blurred or interpolated by optical flow. `interpolation.py` has the table of ways; `flow/` interpolates between two
frames.
"""
