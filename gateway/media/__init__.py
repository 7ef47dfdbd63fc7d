"""Media over HTTP: records, content, pictures in a zip, resumable uploads, samples.

Files themselves are kept by `shared/media`.
"""
