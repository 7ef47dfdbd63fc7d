"""The web studio's files, and the routes that serve them.

Modules are bundled, hashed and compressed when the gateway starts.
"""
