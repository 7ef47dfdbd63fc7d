"""The services, one room each.

They import `shared`, and neither the gateway nor each other.
"""
