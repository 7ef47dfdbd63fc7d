"""The scene of a clip: decoded frames, the moving subject, warps between frames.

Serves motion trails and strobe alike.
"""
