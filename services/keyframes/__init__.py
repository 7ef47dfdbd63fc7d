"""Keyframes service: shot detection and choice of keyframes.

The operation is a file; the rooms hold detectors, analysis, selection, output and the gallery's page.
"""
