"""Media service: transcoding, reels, and views of clips for players.

Each operation is a file; `output/` holds the sizes, rates and formats of outputs.
"""
