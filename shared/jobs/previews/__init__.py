"""Previews: jobs on small copies of the videos."""
