"""Size, frame rate, pixels and file format of written clips."""
