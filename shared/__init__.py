"""Parts that every service and the gateway stand on.

They know no service by name: operations, HTTP, jobs, workers, media, video, models, the command line and the client.
"""
