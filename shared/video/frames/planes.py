"""Planes of PyAV frames as NumPy arrays."""

from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def bytes_of(picture: av.VideoFrame) -> int:
    """Estimate the memory of a picture in bytes."""
    return int(picture.width * picture.height * picture.format.padded_bits_per_pixel) // 8


def planes_of(picture: av.VideoFrame) -> tuple[NDArray[Any], ...]:
    """Return the planes of a PyAV frame as arrays that share its memory."""
    return tuple(plane_of(picture, index) for index in range(len(picture.planes)))


def plane_of(picture: av.VideoFrame, index: int) -> NDArray[Any]:
    """Return one plane of a PyAV frame as a writable array that shares its memory.

    uint8, or uint16 where samples have more than 8 bits. The shape is (height, width), or (height, width, n) where n components are
    interleaved. Raises ValueError if a line does not hold whole samples.
    """
    parts = [part for part in picture.format.components if part.plane == index]
    dtype = np.dtype(np.uint16 if parts[0].bits > 8 else np.uint8)
    plane: Any = picture.planes[index]
    # The plane's own size is that of the frame as allocated; the component's is rounded up for odd pictures.
    height, width, count = parts[0].height, parts[0].width, len(parts)
    if abs(plane.line_size) % dtype.itemsize:
        raise ValueError(f"lines of {plane.line_size} bytes do not hold whole {dtype} samples")
    rows: NDArray[Any] = np.frombuffer(plane, dtype).reshape(height, -1)
    if plane.line_size < 0:
        rows = rows[::-1]
    rows = rows[:, : width * count]
    return rows if count == 1 else rows.reshape(height, width, count)


def empty_picture(width: int, height: int, pixel_format: str) -> av.VideoFrame:
    """Create a PyAV frame whose planes are allocated but not filled."""
    return av.VideoFrame(width, height, pixel_format)


def picture_from(planes: tuple[NDArray[Any], ...], width: int, height: int, pixel_format: str) -> av.VideoFrame:
    """Create a PyAV frame from a copy of `planes`, which have the shapes that `planes_of` returns.

    Raises ValueError if the number of planes or a shape does not fit the format.
    """
    picture = empty_picture(width, height, pixel_format)
    targets = planes_of(picture)
    if len(targets) != len(planes):
        raise ValueError(f"{pixel_format} has {len(targets)} planes, not {len(planes)}")
    for target, plane in zip(targets, planes, strict=True):
        if target.shape != plane.shape:
            raise ValueError(f"a plane of {pixel_format} at {width}x{height} has the shape {target.shape}, not {plane.shape}")
        np.copyto(target, plane, casting="same_kind")
    return picture


def halve_toward(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Halve a plane while both sides stay even and at least `size`, (width, height).

    Halving is several times as fast as any other averaging, so it goes before the final resize. Returns `plane` itself if it cannot be
    halved.
    """
    width, height = size
    while all(side % 2 == 0 and side // 2 >= least for side, least in zip(plane.shape, (height, width), strict=True)):
        plane = cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return plane
