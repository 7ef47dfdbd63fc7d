"""Reading video: opening, decoding, timelines, sampling, sound, metadata.

`open_input.py` opens every file.
"""
