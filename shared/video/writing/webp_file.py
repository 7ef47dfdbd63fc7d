"""Corrections of finished animated WebP files."""

import os
import struct
from fractions import Fraction
from pathlib import Path

_LONGEST = 2**24 - 1


def set_last_length(path: str | os.PathLike[str], seconds: Fraction) -> None:
    """Set the duration of the last frame of an animated WebP file.

    The encoder writes the mean of the others. A file of one picture, which is no animation, stays unchanged.
    """
    with Path(path).open("r+b") as file:
        at, last = 12, None
        file.seek(at)
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"ANMF":
                last = at + 8
            at += 8 + size + size % 2
            file.seek(at)
        if last is not None:
            # Place, size and position take 12 bytes; the length counts milliseconds (WebP Container Specification).
            file.seek(last + 12)
            file.write(min(max(round(seconds * 1000), 1), _LONGEST).to_bytes(3, "little"))
