"""Steadier mattes from networks that look at single frames."""
