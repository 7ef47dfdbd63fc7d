"""Reading of clips, user masks and clean plates."""
