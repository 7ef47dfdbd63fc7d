"""Speed curves: made from motion, shaped, snapped to beats, and turned into a clock.

Times are source seconds; speed 1 is normal.
"""
