"""The commands `reelwright pipeline run|check|presets`, which can run without a server.

They read a pipeline from a JSON file, and run it here or on a server.
"""
