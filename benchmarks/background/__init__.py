"""Benchmarks of the background service."""
