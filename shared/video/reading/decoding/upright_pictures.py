"""Turning of decoded pictures upright, where their shape may change within the file."""

import os
from collections.abc import Iterator
from typing import Any

import av
import av.container

from shared.video.frames.display import DisplayFilter
from shared.video.limits import Limits
from shared.video.reading.open_input import time_base_of
from shared.video.reading.times.shape_changes import orientation_at, pixel_ratio_at, shape_changes

_LOSES_A_PICTURE = ("mpeg1video", "mpeg2video")
"""Codecs whose decoder in FFmpeg loses a picture when the size changes."""


class UprightPictures:
    """The display filter of a file's main video, which follows changes of shape.

    `options`: those of DisplayFilter.
    """

    def __init__(
        self, container: av.container.InputContainer, stream: Any, path: str | os.PathLike[str], limits: Limits, **options: Any
    ) -> None:
        sizes = shape_changes(container, path, limits)
        codec = stream.codec_context.codec.canonical_name
        self.drained_at = frozenset(size.at for size in sizes[1:] if codec in _LOSES_A_PICTURE)
        """Times of packets before which the decoder is drained, in ticks of the stream."""
        self._stated_ratio = stream.sample_aspect_ratio or None
        self._by_ratio = sizes if len({size.shape.pixel_ratio for size in sizes}) > 1 else ()
        self._by_turn = sizes if len({size.shape.orientation for size in sizes}) > 1 else ()
        first = sizes[0].at if sizes else None
        self._filter = DisplayFilter(
            time_base=time_base_of(stream),
            limits=limits,
            from_gpu=codec if stream.codec_context.is_hwaccel else "",
            stored_size=(sizes[0].shape.width, sizes[0].shape.height) if len(sizes) > 1 else None,
            pixel_ratio=pixel_ratio_at(self._by_ratio, self._stated_ratio, first),
            orientation=orientation_at(self._by_turn, first),
            **options,
        )

    @property
    def deinterlacing(self) -> bool:
        """Whether pictures are deinterlaced, and so depend on their neighbours."""
        return self._filter.deinterlacing

    @property
    def started(self) -> bool:
        """Whether a picture has come, so that `deinterlacing` is known."""
        return self._filter.started

    def jumped(self) -> None:
        """Forget the pictures before a seek."""
        self._filter.jumped()

    def push(self, picture: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Convert a decoded picture; yield the converted pictures that are ready."""
        ratio = pixel_ratio_at(self._by_ratio, self._stated_ratio, picture.pts)
        return self._filter.push(picture, ratio, orientation_at(self._by_turn, picture.pts))

    def flush(self) -> Iterator[av.VideoFrame]:
        """Yield the pictures that remain in the filter."""
        return self._filter.flush()
