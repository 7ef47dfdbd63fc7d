"""The clean plate of a clip: which frames are sampled, where they lie, and the plate made from them.

`build.py` puts the steps together; the operation is `services/background/plate.py`.
"""
