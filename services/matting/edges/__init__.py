"""Finish a matte after the backend: smooth, refine edges, fill holes, remove blobs."""
