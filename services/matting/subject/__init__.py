"""Choice of one subject in a matte, and tracking through the clip."""
