"""Frames of a clip, with their camera poses, planes and motion masks.

Motion trails and strobe read their clips through `readers.py`.
"""
