"""Benchmarks of matting: the networks, the chroma keyer, memory."""
