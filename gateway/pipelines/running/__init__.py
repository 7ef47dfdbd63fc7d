"""Running of pipelines: order, expected times, states and progress of their steps."""
