"""Small clips that mislead shot detection, by kind of trouble.

Takes, and the kinds by what misleads: cuts, light, graphics. `corpus.py` has the table of kinds.
"""
