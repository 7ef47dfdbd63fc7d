"""Aesthetics service: choice of the best frames and pictures.

Each operation is a module. The subpackages hold reading, measures, the network NIMA, selection, output, and jobs on folders.
"""
