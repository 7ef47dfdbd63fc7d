"""Speed curves: made from motion or speeds, constrained, snapped to beats, and integrated into a clock.

Times are source seconds unless they say output seconds; speed 1 is normal.
"""
