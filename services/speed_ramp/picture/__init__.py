"""Output frames of a ramp: picked, blended, or interpolated by optical flow.

`flow/` holds the interpolation between two frames.
"""
