"""The catalog of models: purpose, file sources and licences.

One file per service, and the table of all.
"""
