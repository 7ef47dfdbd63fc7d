"""Resumable uploads with the tus 1.0 protocol.

A finished upload becomes a medium as an upload by form does.
"""
