"""The commands `reelwright pipeline run|check|presets`, which need no server."""
