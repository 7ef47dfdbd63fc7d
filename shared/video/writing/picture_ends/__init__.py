"""The start and end of a file's picture: late first pictures, exact durations."""
