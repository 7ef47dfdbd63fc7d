"""Requests to services: proxy, upstream connections, replicas.

Always HTTP, over a Unix socket or the network.
"""
