"""Choice of one subject in a matte, and its tracking.

Clicks and boxes on one frame name it; the tracker follows it through the clip.
"""
