"""Gradual transitions: fades, dissolves and wipes."""
