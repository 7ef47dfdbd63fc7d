"""Keyframes service: shot detection and choice of keyframes.

`detect.py` is the operation. The subpackages hold its detectors, analysis, selection and output; `page` holds the gallery's files.
"""
