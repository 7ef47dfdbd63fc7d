"""Aesthetics service: choice of the best frames and pictures.

Each operation is a file; the rooms hold reading, measures, the network NIMA, selection and output.
"""
