"""Pipelines: one job whose steps are jobs of the services.

`check` validates every step before the first one starts, `runner` runs them, `presets` are pipelines with a name.
"""
