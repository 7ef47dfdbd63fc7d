"""Middlewares of every HTTP app."""
