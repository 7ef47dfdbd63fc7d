"""Decoding of pictures.

All of them, or as few as a sampling rate needs.
"""
