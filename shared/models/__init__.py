"""Models: catalog, installed files, devices, and loaded models.

A cache of loaded models serves many jobs.
"""
