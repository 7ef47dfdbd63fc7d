"""Running of pipelines: order, expected times, states and progress of their steps.

A pipeline's state is stored as its steps end, so it continues after a restart.
"""
