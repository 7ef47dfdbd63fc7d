"""Errors of a matte against the true matte, and its flicker."""
