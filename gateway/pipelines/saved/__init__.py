"""Pipelines that owners saved under names."""
