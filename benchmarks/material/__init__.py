"""Test clips for benchmarks, tests and demos: real, drawn, edited, damaged."""
