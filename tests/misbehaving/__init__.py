"""A service whose operations misbehave, one way each."""
