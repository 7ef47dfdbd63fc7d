"""Measurement of the camera's motion between the frames of a clip.

`phase_correlation.py` measures shifts; `camera.py` chains them.
"""
