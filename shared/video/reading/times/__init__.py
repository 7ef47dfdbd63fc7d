"""Times of a file's packets and frames on one continuous clock.

Nothing is decoded. The packets also show joined parts, changes of size and a missing end.
"""
