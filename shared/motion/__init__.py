"""Camera motion between frames, as a similarity transform.

`phase_correlation.py` measures shifts; `camera.py` chains them.
"""
