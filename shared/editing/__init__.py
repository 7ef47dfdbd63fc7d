"""Timelines for editing programs: constant frame rates, and Final Cut Pro XML.

Cut lists of keyframes and exports of speed ramps use it.
"""
