"""From views to scores, groups and reasons.

Decides which pictures win.
"""
