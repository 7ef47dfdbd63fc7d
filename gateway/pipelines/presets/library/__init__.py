"""The presets, one file each.

Each file declares one pipeline with its inputs; `presets/table.py` lists them.
"""
