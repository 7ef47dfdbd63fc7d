"""Outgoing connections: allowed addresses, and HTTP downloads of users' URLs."""
