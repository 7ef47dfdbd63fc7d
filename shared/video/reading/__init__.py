"""Reading video: opening, decoding, timelines, sampling, sound, metadata.

Every file is opened by `open_input.py`.
"""
