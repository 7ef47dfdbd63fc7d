"""Middlewares of every HTTP app: HEAD, OPTIONS and `Allow` for all routes."""
