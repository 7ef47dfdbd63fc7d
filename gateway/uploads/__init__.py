"""Resumable uploads: tus 1.0 over HTTP, and the folder on disk that keeps what was received."""
