"""Installation of models: sources, downloads, checksums.

Only `reelwright models pull` and jobs with auto-pull reach this.
"""
