"""What is done to a matte after the backend: smoothing over time, edges, holes, stray blobs."""
