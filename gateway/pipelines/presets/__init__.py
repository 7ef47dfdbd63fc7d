"""Presets: named pipelines that start from a few inputs.

Each preset is one file; `table` lists them, `availability` finds out which can run, `requests` turns a request into a pipeline.
"""
