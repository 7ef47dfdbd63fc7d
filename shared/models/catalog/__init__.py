"""The catalog of models: purpose, sources of the files, and licence.

One file per service, and the table of all.
"""
