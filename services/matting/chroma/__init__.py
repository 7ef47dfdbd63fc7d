"""Keyer: mattes of subjects before a green or blue screen, without a model."""
