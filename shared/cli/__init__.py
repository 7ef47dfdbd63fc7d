"""The command line, built from the same operations as the API.

It runs operations locally or on a server.
"""
