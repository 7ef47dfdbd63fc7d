"""Registration of frames: geometric alignment and exposure matching.

Only the background is measured; the matte masks the subject.
"""
