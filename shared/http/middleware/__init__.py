"""Middlewares of every HTTP app: complete methods."""
