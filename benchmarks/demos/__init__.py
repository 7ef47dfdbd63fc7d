"""Demos that `make demo`, `make demo-matte` and `make demo-full` run."""
