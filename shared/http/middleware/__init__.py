"""Middlewares of every HTTP app.

They answer HEAD and OPTIONS, and say which methods an address has.
"""
