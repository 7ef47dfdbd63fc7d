"""The folder of an owner: its size, its last change, and the index by hash."""
