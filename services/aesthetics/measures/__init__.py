"""Measures of one picture: sharpness, exposure, noise, blur, blank frames, likeness.

`technical.py` combines them into one score. No model is needed.
"""
