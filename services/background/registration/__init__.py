"""Registration of frames: geometry by tracked corners, light by gains.

Only the background is looked at; the matte says where it is.
"""
