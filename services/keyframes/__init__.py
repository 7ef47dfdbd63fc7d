"""Keyframes: the shots of videos and a keyframe of each.

The operation is a file; the rooms hold detectors, analysis, selection, output and the gallery's page.
"""
