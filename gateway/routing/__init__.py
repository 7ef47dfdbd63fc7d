"""Requests to services: the proxy, upstream clients, replicas.

Always HTTP, over a Unix socket or the network.
"""
