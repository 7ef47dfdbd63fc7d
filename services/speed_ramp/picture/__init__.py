"""Output pictures of a retimed clip.

Picked, blended, motion-blurred or interpolated by optical flow. `interpolation.py` has the table of methods; `flow/` interpolates between
two frames.
"""
