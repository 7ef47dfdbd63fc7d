"""Other programs that do the same as whole operations, run as commands."""
