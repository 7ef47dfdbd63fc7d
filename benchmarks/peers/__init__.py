"""Benchmarks against other programs, run as commands."""
