"""Media service: transcoding, reels, and views of clips for players.

Each operation is a file; the room holds sizes, rates and formats of outputs.
"""
