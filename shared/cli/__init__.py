"""The command line, built from the same operations as the API.

Runs operations locally or against a server.
"""
