"""Small clips of kinds that mislead shot detection.

Takes, and the kinds by what misleads: cuts, light, graphics. `corpus.py` has the table of kinds.
"""
