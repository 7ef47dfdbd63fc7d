"""Previews: jobs that run on proxies, which are small copies of the videos."""
