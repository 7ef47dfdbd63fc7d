"""Benchmarks of motion trails, and the naive reference they are compared with."""
