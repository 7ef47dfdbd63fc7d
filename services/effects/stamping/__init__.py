"""Stamps (cut-outs of the subject), clean plates (scenes without it), and the sequence picture.

The operation `effects.strobe` uses them.
"""
