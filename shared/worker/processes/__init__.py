"""Processes of a worker: environment, family, memory and end.

What a job or a killed worker leaves behind is found by a mark in its environment, and ended.
"""
