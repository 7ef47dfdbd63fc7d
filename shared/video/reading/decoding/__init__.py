"""Decoding of pictures: all of them, or as few as a sampling rate needs."""
