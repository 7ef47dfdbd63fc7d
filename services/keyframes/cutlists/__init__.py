"""The shots of a video as files that other programs read, one module each."""
