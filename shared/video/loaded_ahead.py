"""Imports of all modules that are needed to examine a file.

A process imports this module before it is copied for each file. Otherwise each copy would import some of them anew.
"""

import av.subtitles.stream  # noqa: F401
from PIL import Image

import shared.video  # noqa: F401
from shared.video.stills.image import accepted_formats

Image.init()
accepted_formats()
