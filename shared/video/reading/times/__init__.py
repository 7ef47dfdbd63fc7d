"""Times of a file's packets and frames on one continuous clock.

Read without decoding, with what the packets show of a file: joined parts, changes of size, a missing end.
"""
