"""Aesthetics: the best pictures of clips and picture sets.

Each operation is a file; the rooms hold reading, measures, the network NIMA, selection and output.
"""
