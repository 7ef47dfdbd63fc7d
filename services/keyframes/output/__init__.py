"""Files that `keyframes.detect` writes: gallery, images, cut lists.

Each exporter takes finished shots and keyframes.
"""
