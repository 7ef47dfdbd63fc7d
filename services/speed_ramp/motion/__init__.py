"""The motion of a clip: of the camera and the subject, and the cuts.

Motion is in frame diagonals per second, so it does not depend on the picture size or the frame rate.
"""
