"""Choice of one subject in a matte, and its tracking."""
