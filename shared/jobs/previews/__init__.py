"""Previews: jobs that run on proxies, which are small copies of the videos.

Inputs are replaced by their proxies, and times and sizes are converted for them.
"""
