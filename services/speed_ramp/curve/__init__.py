"""Speed curves, and the conversion between source and output time.

Curves are made from motion or speeds, constrained, and snapped to beats. Times are source seconds unless they say output seconds; speed 1
is normal.
"""
