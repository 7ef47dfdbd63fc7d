"""Planes of PyAV frames as NumPy arrays."""

from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def bytes_of(picture: av.VideoFrame) -> int:
    """Estimate a picture's memory in bytes."""
    return int(picture.width * picture.height * picture.format.padded_bits_per_pixel) // 8


def planes_of(picture: av.VideoFrame) -> tuple[NDArray[Any], ...]:
    """Return the planes of a PyAV frame as arrays that share its memory."""
    return tuple(plane_of(picture, index) for index in range(len(picture.planes)))


def plane_of(picture: av.VideoFrame, index: int) -> NDArray[Any]:
    """Return one plane of a PyAV frame as an array.

    The array is writable and shares the frame's memory: uint8, or uint16 where samples have more than 8 bits. The shape is (height, width),
    or (height, width, n) where n components are interleaved. Raises ValueError if a line does not hold whole samples.
    """
    parts = [part for part in picture.format.components if part.plane == index]
    dtype = np.dtype(np.uint16 if parts[0].bits > 8 else np.uint8)
    plane: Any = picture.planes[index]
    # The plane has the allocated size of the frame; the component's size is rounded up for odd pictures.
    height, width, count = parts[0].height, parts[0].width, len(parts)
    if abs(plane.line_size) % dtype.itemsize:
        raise ValueError(f"lines of {plane.line_size} bytes do not hold whole {dtype} samples")
    rows: NDArray[Any] = np.frombuffer(plane, dtype).reshape(height, -1)
    if plane.line_size < 0:
        rows = rows[::-1]
    rows = rows[:, : width * count]
    return rows if count == 1 else rows.reshape(height, width, count)


def empty_picture(width: int, height: int, pixel_format: str) -> av.VideoFrame:
    """Create a PyAV frame with uninitialised planes."""
    return av.VideoFrame(width, height, pixel_format)


def picture_from(planes: tuple[NDArray[Any], ...], width: int, height: int, pixel_format: str) -> av.VideoFrame:
    """Create a PyAV frame that holds a copy of `planes`.

    `planes` have the shapes that `planes_of` returns. Raises ValueError if the number of planes or a shape does not fit the format.
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


def set_alpha(picture: av.VideoFrame, alpha: NDArray[Any]) -> None:
    """Copy `alpha` into the alpha plane of a planar picture.

    `alpha`: (height, width) uint8 from 0 to 255, or uint16 from 0 to 65535, scaled to the picture's depth. Raises ValueError for another
    shape or type, and for a picture without an alpha plane.
    """
    component = picture.format.components[-1]
    if not component.is_alpha:
        raise ValueError(f"{picture.format.name} has no alpha plane")
    target = plane_of(picture, component.plane)
    np.copyto(target, scale_alpha(alpha, component.bits, target.shape), casting="same_kind")


def check_alpha(alpha: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `alpha` is uint8 or uint16 and has the shape `shape`.

    `shape`: (height, width).
    """
    if alpha.shape != shape or alpha.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"alpha is {alpha.dtype} of shape {alpha.shape}; uint8 or uint16 of shape {shape} is needed")


def scale_alpha(alpha: NDArray[Any], bits: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Scale full-range alpha, uint8 or uint16, to full range of `bits` bits.

    Raises what `check_alpha` raises.
    """
    check_alpha(alpha, shape)
    full, alpha_full = (1 << bits) - 1, 255 if alpha.dtype == np.uint8 else 65535
    if full == alpha_full:
        return alpha
    scaled = (alpha.astype(np.uint32) * full + alpha_full // 2) // alpha_full
    return scaled.astype(np.uint8 if bits <= 8 else np.uint16)


def halve_toward(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Halve a plane's sides repeatedly, while both stay at least as long as `size`.

    `size`: (width, height). Halving stops at an odd side. It is several times as fast as any other averaging, so it goes before the final
    resize. Returns `plane` itself if it cannot be halved.
    """
    width, height = size
    while all(side % 2 == 0 and side // 2 >= least for side, least in zip(plane.shape, (height, width), strict=True)):
        plane = cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return plane
