"""Decoding of a video's pictures: all, or as few as sampling needs.

It turns packets into pictures with times.
"""
