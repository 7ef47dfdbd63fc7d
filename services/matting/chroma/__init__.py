"""Keyer: mattes of subjects in front of a green or blue screen, without a model."""
