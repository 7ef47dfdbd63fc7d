"""The commands `reelwright pipeline run|check|presets`, which can run without a server."""
