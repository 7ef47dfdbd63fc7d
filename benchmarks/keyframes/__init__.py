"""Benchmarks of shot detection: accuracy, and the speed of the whole operation."""
