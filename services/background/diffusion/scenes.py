"""Prompts of scenes that presets paint."""

BEACH = "a sunny beach at golden hour"
CITY = "a city street at night, wet asphalt, neon lights"
EMPTY = "an empty place with nobody in it"
