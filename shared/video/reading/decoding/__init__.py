"""Decoding of a video's pictures: all of them, or as few as a sampling rate needs."""
