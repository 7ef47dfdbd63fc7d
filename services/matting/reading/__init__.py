"""Read the clip for the backends, and the mask pictures that the user gives."""
