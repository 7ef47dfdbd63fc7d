"""Benchmarks across services: the API, containers, uploads, the media layer, GPUs."""
