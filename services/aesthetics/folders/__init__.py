"""Jobs on folders, as PerfectFrameAI has them.

Used by `compat.py` and the command line.
"""
