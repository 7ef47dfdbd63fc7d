"""Gradual transitions: fades, dissolves and wipes.

The detector `auto` combines them with the hard cuts.
"""
