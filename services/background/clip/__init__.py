"""Frames of a clip as planes, and what lies behind them: a colour, a picture, or another clip.

Nothing here mixes anything.
"""
