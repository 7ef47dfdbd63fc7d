"""Measures of a picture: sharpness, exposure, noise, blur, blankness, similarity.

`technical.py` combines them into one score. No model is needed.
"""
