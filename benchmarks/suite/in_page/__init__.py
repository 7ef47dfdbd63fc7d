"""Measurements in the studio's page: delays, work per input, and drawn frames."""
