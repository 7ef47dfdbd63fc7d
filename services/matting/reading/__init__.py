"""Reading of clips, user masks and clean plates.

All backends get the same pictures and masks from here.
"""
