"""Running of pipelines: the order of steps, their expected times, and the state shown meanwhile."""
