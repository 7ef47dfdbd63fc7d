"""Decoding of a video's pictures: all, or as few as sampling needs."""
