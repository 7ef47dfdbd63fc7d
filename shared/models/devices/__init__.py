"""The CPU and the GPUs: detection, number formats, memory and sharing.

They decide where a network runs, and in which precision.
"""
