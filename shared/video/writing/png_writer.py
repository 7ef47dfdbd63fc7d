"""A writer of numbered PNG files that encodes on all cores.

The files go to a folder or a zip file.
"""

import os
import shutil
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import OperationFailed
from shared.media.partial_name import partial_path
from shared.media.zip_files.writer import ZipWriter
from shared.settings import usable_cores
from shared.video.frames.color import BT709, apply_tags, matrix_or_guess, sws_matrix, tags_of
from shared.video.frames.frame import EXACT_SCALING, Reformatters
from shared.video.frames.planes import picture_from, plane_of, scale_alpha

PngFormat = Literal["gray", "gray16le", "rgb24", "rgba", "rgb48le", "rgba64le"]
# Pixel format -> the format with OpenCV's channel order, which is B, G, R.
_SWAPPED = {"gray": "gray", "gray16le": "gray16le", "rgb24": "bgr24", "rgba": "bgra", "rgb48le": "bgr48le", "rgba64le": "bgra64le"}
_BITS_OF_ALPHA = {"rgba": 8, "rgba64le": 16}
_AHEAD = 2


class PngWriter:
    """A writer of numbered PNG files, used like a `VideoWriter`.

    Files are frame-000000.png, frame-000001.png, ... `path`: a .zip file, or a folder that does not exist or is empty. `pixel_format`:
    "gray", "rgb24" or "rgba", or the same with 16 bits per sample; "rgba" and "rgba64le" keep transparency. Pictures are converted with
    their own matrix and range, so that full scale stays full scale. `pts` must rise but is not written. `compression`: 0 (fast) to 9
    (small).

    The folder or file gets its name only after the `with` block has ended without an error; otherwise no file is left.
    """

    encoder = "png"

    def __init__(self, path: str | os.PathLike[str], *, width: int, height: int, pixel_format: PngFormat = "rgb24", compression: int = 3):
        self._path = Path(path)
        if pixel_format not in _SWAPPED:
            raise ValueError(f"{pixel_format = } must be one of {', '.join(_SWAPPED)}")
        if width < 1 or height < 1 or not 0 <= compression <= 9:
            raise ValueError(f"{width = } and {height = } must be positive, and {compression = } from 0 to 9")
        self.warnings: list[str] = []
        self._size, self._format, self._compression = (width, height), pixel_format, compression
        self._partial = partial_path(self._path)
        self._zip: ZipWriter | None = None
        if self._path.suffix.lower() == ".zip":
            # PNG files are compressed already.
            self._zip = ZipWriter(self._path, packed=False)
        else:
            self._partial.mkdir()
        cores = usable_cores()
        self._max_waiting = cores + _AHEAD
        self._pool = ThreadPoolExecutor(cores, thread_name_prefix="PngWriter")
        self._local = Reformatters()
        self._waiting: deque[Future[bytes]] = deque()
        self._last: int | None = None
        self._count = 0

    def write(self, picture: av.VideoFrame | tuple[NDArray[Any], ...], pts: int, *, alpha: NDArray[Any] | None = None) -> None:
        """Queue `picture` as the next file.

        It is a PyAV frame or a tuple of one array. The array is in the writer's format, (height, width) or (height, width, channels).
        `alpha`: (height, width) uint8 or uint16 of full scale, for "rgba" and "rgba64le". Do not change a picture or its alpha afterwards.
        Blocks while encoding is behind; raises the error of a picture that could not be encoded.
        """
        if alpha is not None:
            if self._format not in _BITS_OF_ALPHA:
                raise ValueError(f"{self._format} has no alpha")
            alpha = scale_alpha(alpha, _BITS_OF_ALPHA[self._format], self._size[::-1])
        if self._last is not None and pts <= self._last:
            raise ValueError(f"{pts = } must be greater than that of the picture before, {self._last}")
        self._last = pts
        if isinstance(picture, tuple):
            picture = picture_from(picture, *self._size, self._format)
            apply_tags(picture, BT709)
        while len(self._waiting) >= self._max_waiting:
            self._store(self._waiting.popleft().result())
        self._waiting.append(self._pool.submit(self._encoded, picture, alpha))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self.abort()
        else:
            self.close()

    def close(self) -> None:
        """Finish the folder or zip file, and rename it into place.

        Raises ValueError if no picture was written.
        """
        try:
            while self._waiting:
                self._store(self._waiting.popleft().result())
            if not self._count:
                raise ValueError(f"no picture was written to {self._path.name!r}")
            if self._zip is not None:
                self._zip.close()
            else:
                os.replace(self._partial, self._path)
        finally:
            self.abort()

    def abort(self) -> None:
        """Stop encoding, and delete the unfinished folder or zip file."""
        for future in self._waiting:
            future.cancel()
        self._waiting.clear()
        self._pool.shutdown()
        if self._zip is not None:
            self._zip.discard()
        else:
            shutil.rmtree(self._partial, ignore_errors=True)

    def _store(self, data: bytes) -> None:
        name = f"frame-{self._count:06d}.png"
        self._count += 1
        if self._zip is not None:
            self._zip.add(name, data)
        else:
            (self._partial / name).write_bytes(data)

    def _encoded(self, picture: av.VideoFrame, alpha: NDArray[Any] | None) -> bytes:
        array = self._converted(picture)
        if alpha is not None:
            array[..., 3] = alpha
        done, data = cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, self._compression])
        if not done:
            raise OperationFailed(f"A picture of {self._size[0]}x{self._size[1]} could not be encoded as PNG.")
        return data.tobytes()

    def _converted(self, picture: av.VideoFrame) -> NDArray[Any]:
        color = tags_of(picture, pixel_format=picture.format.name)
        width, height = self._size
        full = picture.format.is_rgb or color.range == "pc"
        ready = self._local.reformatter.reformat(
            picture,
            width=width,
            height=height,
            format=_SWAPPED[self._format],
            src_colorspace=sws_matrix(matrix_or_guess(color, picture.width, picture.height)),
            src_color_range=2 if full else 1,
            dst_color_range=2,
            interpolation=EXACT_SCALING,
            threads=1,
        )
        array = np.ascontiguousarray(plane_of(ready, 0))
        alpha = picture.format.components[-1]
        if self._format == "rgba64le" and alpha.is_alpha and not picture.format.is_rgb:
            # swscale shifts the bits of planar alpha, which would leave opaque pixels slightly below full scale.
            highest = ((1 << alpha.bits) - 1) << (16 - alpha.bits)
            array[..., 3] = np.minimum(np.rint(array[..., 3] * (65535 / highest)), 65535)
        return array
