"""Clips that benchmarks, tests and demos work on: real, drawn, cut together, damaged."""
