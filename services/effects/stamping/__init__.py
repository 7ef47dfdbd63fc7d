"""Stamps (cut-outs of the subject) and clean plates (scenes without it).

Also the picture of all stamps. The operation `effects.strobe` uses them.
"""
