"""Table of the ways to write the subject's colours."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.matting.output.pictures import premultiplied

Rgb = NDArray[np.uint8]
Alpha = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForegroundFile:
    """A way to write the subject's colours, as a row of FOREGROUND_FILES."""

    name: str
    label: str
    """Label in a form."""
    description: str
    colours: Callable[[Rgb, Alpha], Rgb] | None
    """Returns the colours to write, given the subject's colours and matte. None writes no file."""


FOREGROUND_FILES = {
    row.name: row
    for row in (
        ForegroundFile(name="off", label="Off", description="no file", colours=None),
        ForegroundFile(name="straight", label="Straight", description="the colours alone", colours=lambda colours, _alpha: colours),
        ForegroundFile(name="premultiplied", label="Premultiplied", description="the colours times the matte", colours=premultiplied),
    )
}
"""Name -> way to write, in the order of the API reference."""
