"""Unsmoothed motion between pairs of frames, and the file that keeps it.

Later analyses of the same clip start from the file.
"""

import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.motion.camera import Floats

VERSION = 2
"""Version of the measurement and its file. Raise it whenever the same frames give other numbers, or the file has another form."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Motion between n pairs of frames.

    `times` (n): seconds from the start of the part to the later frame. `subject` (n) and `camera` (n, 6), see Step: per second.
    `mismatched` (n): whether a pair shows different scenes. `frames`: number of frames that were compared. `end`: end of the part in
    seconds of source.
    """

    times: Floats
    subject: Floats
    camera: NDArray[np.float32]
    mismatched: NDArray[np.bool_]
    frames: int
    end: Fraction


def write_pairs(path: Path, pairs: Pairs) -> None:
    """Write measurements to an npz file, about 41 bytes per pair."""
    end = np.array([pairs.end.numerator, pairs.end.denominator], dtype=np.int64)
    arrays = {"times": pairs.times, "subject": pairs.subject, "camera": pairs.camera, "mismatched": pairs.mismatched}
    with path.open("wb") as file:
        np.savez(file, version=np.array(VERSION), frames=np.array(pairs.frames), end=end, **arrays)  # type: ignore[arg-type]


def read_pairs(path: Path) -> Pairs | None:
    """Read measurements; return None if missing or outdated."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if int(file["version"]) != VERSION:
                return None
            numerator, denominator = (int(part) for part in file["end"])
            pairs = Pairs(
                times=np.asarray(file["times"], np.float64),
                subject=np.asarray(file["subject"], np.float64),
                camera=np.asarray(file["camera"], np.float32),
                mismatched=np.asarray(file["mismatched"], bool),
                frames=int(file["frames"]),
                end=Fraction(numerator, denominator),
            )
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, EOFError, zipfile.BadZipFile):
        return None
    count = len(pairs.times)
    fits = pairs.subject.shape == (count,) and pairs.camera.shape == (count, 6) and pairs.mismatched.shape == (count,)
    return pairs if fits and pairs.frames > 0 else None
