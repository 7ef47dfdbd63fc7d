"""Benchmarks that compare our commands with those of other programs."""
