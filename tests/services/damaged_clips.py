"""Clips with a damaged part, or without their end."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_clip(path: Path, pictures: Sequence[NDArray[np.uint8]], *, rate: int, key_distance: int, fragmented: bool = False) -> Path:
    """Write RGB pictures as H.264 with a keyframe every `key_distance` frames.

    `fragmented`: an MP4 in fragments, as recorders write it.
    """
    options = {"movflags": "frag_keyframe+empty_moov"} if fragmented else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=rate, options={"g": str(key_distance), "sc_threshold": "0", "threads": "1"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def with_hole(path: Path) -> Path:
    """Overwrite the fiftieth part of a file in its middle with zeros; return its path."""
    data = bytearray(path.read_bytes())
    middle, length = len(data) // 2, len(data) // 50
    data[middle : middle + length] = bytes(length)
    path.write_bytes(data)
    return path


def cut_off(path: Path) -> Path:
    """Keep only the first half of a file; return its path."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def without_middle(path: Path) -> Path:
    """Leave out the fiftieth part of a file in its middle; return its path."""
    data = path.read_bytes()
    middle, length = len(data) // 2, len(data) // 50
    path.write_bytes(data[:middle] + data[middle + length :])
    return path
