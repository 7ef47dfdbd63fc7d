"""Small clips that mislead shot detection, by kind of trouble.

Clips are edited from the takes of `takes.py`. The kinds are in `cuts.py`, `light.py` and `graphics.py`, by what misleads; `corpus.py` has
their table.
"""
