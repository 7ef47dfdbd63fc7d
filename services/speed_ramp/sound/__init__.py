"""Sound of a ramp: stretched, resampled, or silent in freezes.

Sound stays within 20 ms of the picture.
"""
