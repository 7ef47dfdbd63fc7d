"""Choices that several operations share."""

from typing import Literal

Canvas = Literal["frame", "panorama"]
