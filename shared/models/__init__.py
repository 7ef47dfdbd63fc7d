"""Models: which there are, whether they are installed, and how one that is loaded serves many jobs."""
