"""The catalog of models: purpose, sources of the files, and licence.

One file per service, and the table of all.

Checksums are those that the publisher states. If there is none, the checksum of the first pull is recorded, and the file must match it from
then on (folder.py). Files of a Hugging Face repository must match the checksum that the hub states, too.
"""
