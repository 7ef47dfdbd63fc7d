"""Processes of a worker: environment, family, memory and end."""
