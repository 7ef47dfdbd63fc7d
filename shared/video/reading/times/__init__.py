"""Times of a file's packets and frames on one continuous clock, read without decoding.

Also what the packets show of a file: joined parts, changes of size, a missing end.
"""
