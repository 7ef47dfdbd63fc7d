"""Picture arithmetic that several kinds of matte share."""
