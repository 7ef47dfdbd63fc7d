"""Running of pipelines: step states, dependencies, progress.

The order of steps, their expected times, and the state of the pipeline meanwhile.
"""
