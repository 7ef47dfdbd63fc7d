"""Running of pipelines.

The order of steps, their expected times, and the state of the pipeline meanwhile.
"""
