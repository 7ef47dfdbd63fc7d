"""Reaching out: which addresses may be reached, and the only HTTP client that goes to addresses users name."""
