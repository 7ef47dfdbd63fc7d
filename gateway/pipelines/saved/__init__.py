"""Saved pipelines: routes and storage.

Each owner has a folder, with one JSON file for each pipeline.
"""
