"""Media over HTTP: uploading, records, downloads, pictures in a zip file, samples.

The files themselves are stored by `shared/media`.
"""
