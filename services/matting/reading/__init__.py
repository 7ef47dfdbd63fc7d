"""A clip as backends see it, and the pictures that the user gives beside it."""
