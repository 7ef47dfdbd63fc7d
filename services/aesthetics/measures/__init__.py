"""Measures of a picture: sharpness, exposure, noise, blur, blankness, similarity.

`technical_quality.py` combines all but the last into one score. No model is needed.
"""
