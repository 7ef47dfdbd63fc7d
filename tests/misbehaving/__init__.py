"""A service whose operations misbehave, each in one manner."""
