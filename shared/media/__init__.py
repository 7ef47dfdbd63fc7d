"""Media: records, file storage, and ingestion of untrusted uploads.

A medium is a file with a record and an owner; services and the gateway share the folder of all media.
"""
