"""Benchmarks of the aesthetics service."""
