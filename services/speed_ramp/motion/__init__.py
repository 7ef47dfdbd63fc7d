"""Motion measurement: camera, subject and cuts.

Motion is in frame diagonals per second, so it does not depend on the picture size or the frame rate.
"""
