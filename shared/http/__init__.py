"""HTTP server code that the gateway and every service share.

`service.py` makes a service's app from its operations.
"""
