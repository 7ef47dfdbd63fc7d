"""Registration of frames: geometry from tracked corners, light from gains.

Only the background is measured; the matte masks the subject.
"""
