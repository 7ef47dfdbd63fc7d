"""Matting service: mattes, masks of clicked objects, and comparison of backends.

A matte is a gray picture that states for each pixel how much of it shows the subject. Each operation is a file; the folders hold the
backends (methods) with their networks, the choice of subjects, edges, smoothing and output.
"""
