"""Code that every service and the gateway share.

It knows no service by name: operations, HTTP, jobs, workers, media, video, models, the command line and the client.
"""
