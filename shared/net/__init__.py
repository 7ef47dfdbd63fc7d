"""Outgoing connections: allowed addresses, and the HTTP client for users' URLs."""
