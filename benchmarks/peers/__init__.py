"""Benchmarks that compare our commands with other programs' commands."""
