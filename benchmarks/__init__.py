"""Benchmarks and demos, and the clips that they use."""
