"""Connections from the gateway to services: proxy, clients, replicas.

They are HTTP over a Unix socket or over the network.
"""
