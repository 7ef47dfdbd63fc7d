"""Ways to make a matte: one file or room for each, one table of all of them.

Nothing here opens a video file or knows what is written.
"""
