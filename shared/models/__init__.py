"""Models: the catalog, installed files, devices, and a cache of loaded models that serves many jobs."""
