"""Previews: the same operation on small copies of its videos."""
