"""Saved pipelines: routes and storage."""
