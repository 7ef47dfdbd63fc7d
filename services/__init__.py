"""The services, one package each.

They import `shared`, and neither the gateway nor each other.
"""
