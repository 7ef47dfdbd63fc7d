"""The folder of an owner: its size, last change, and index by hash."""
