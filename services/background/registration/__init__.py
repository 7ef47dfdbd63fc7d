"""Registration of frames: geometry by tracked corners, light by gains.

Only the background is used; the matte masks the subject.
"""
