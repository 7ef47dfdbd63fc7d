"""The first and the last picture of a file: late starts, and exact ends."""
