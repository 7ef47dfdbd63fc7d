"""Pipelines: one job whose steps are jobs.

Presets are pipelines with a name.
"""
