"""Metrics of mattes: errors against the true matte, and flicker."""
