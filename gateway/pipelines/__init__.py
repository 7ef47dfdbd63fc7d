"""Pipelines: one job whose steps are jobs of the services.

`check` validates every step before the first one starts, `runner` runs the steps, `presets` holds the named pipelines.
"""
