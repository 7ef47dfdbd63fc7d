"""Folders that worker processes write to, and their deletion.

Slots of worker processes and the running of jobs use them.
"""
