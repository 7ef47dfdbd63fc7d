"""The gateway: the only server that clients reach.

It holds media, jobs and pipelines, forwards requests to the services, and serves the studio.
"""
