"""Reading and mixing of a composite's layers.

`services/background/mixing` has the arithmetic of one frame.
"""
