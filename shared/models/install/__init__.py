"""Installation of models: sources, downloads, checksums.

Only `reelwright models pull` and jobs with auto-pull use it.
"""
