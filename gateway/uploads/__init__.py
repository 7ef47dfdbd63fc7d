"""Resumable uploads: tus 1.0 over HTTP, and the folder that stores the received bytes."""
