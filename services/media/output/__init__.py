"""Output size, frame rate, pixel format and file format."""
