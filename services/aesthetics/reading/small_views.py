"""Small copies of pictures, from which scores are computed."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from services.aesthetics.measures.near_duplicates import Thumbnail, thumbnail
from services.aesthetics.measures.technical_quality import Technical, technical
from services.aesthetics.reading.picture_files import encoded, file_of
from services.aesthetics.reading.picture_formats import PictureParams
from services.aesthetics.reading.sampling import SampleParams, sampled, until_damage
from shared.errors import BrokenMedia
from shared.video import Frame, Picture, map_ordered
from shared.video.frames.scaling import scaled

SIDE = 224
"""Width and height of a network's input. Pictures are stretched to this square."""

_LUMA_BT709 = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
"""Weights of R, G and B in the luma of HD video. OpenCV's gray has the weights of SD, which give saturated pictures other scores."""

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A small copy of a picture, with measures and thumbnail."""

    source: int
    """Number of the input file."""
    small: Rgb
    """The picture, stretched to (224, 224, 3) uint8 R, G, B."""
    technical: Technical
    thumbnail: Thumbnail
    frame: Frame | None = None
    """The frame of a video; None for a picture file."""
    picture: Picture | None = None
    """The picture file; None for a frame of a video."""

    @property
    def time_s(self) -> float | None:
        """Time of the frame in seconds; None for a picture file."""
        return None if self.frame is None else float(self.frame.time)

    @property
    def name(self) -> str | None:
        """Name of the picture file; None for a video frame."""
        return None if self.picture is None else self.picture.name

    def origin(self, file: str) -> str:
        """Return the view's origin: `file`, or `file/picture` for a picture in a zip file.

        `file`: name of the input file.
        """
        return file if self.picture is None or self.picture.entry is None else f"{file}/{self.picture.name}"

    @property
    def held_bytes(self) -> int:
        """Estimated memory of the full-size frame, in bytes."""
        return 0 if self.frame is None else self.frame.width * self.frame.height * 3 // 2

    def file(self, params: PictureParams) -> bytes:
        """Encode the full-size picture in the format of `params`."""
        if self.frame is not None:
            return encoded(self.frame.rgb(), params)
        assert self.picture is not None
        return file_of(self.picture, params)


def video_views(video: Path, params: SampleParams, source: int, *, lanczos: bool) -> Generator[View, None, None]:
    """Yield a view of each sampled frame of a video.

    Views are computed on all cores. `source`: number of the input file. `lanczos`: see `shrink`.
    """

    def view(frame: Frame) -> View:
        small = shrink(frame, lanczos=lanczos)
        measures = technical(frame.luma(), full_range=frame.color.range == "pc")
        return View(source=source, small=small, technical=measures, thumbnail=thumbnail(small), frame=frame)

    damage: list[BrokenMedia] = []
    with closing(sampled(video, params)) as frames, closing(map_ordered(view, until_damage(frames, damage), ahead=1)) as views:
        yield from views
    if damage:
        raise damage[0]


def picture_view(picture: Picture, source: int, *, lanczos: bool) -> View:
    """Create the view of a picture file.

    `source`: number of the input file. `lanczos`: see `shrink`. Raises BrokenMedia and TooLarge.
    """
    with picture.image() as image:
        rgb = np.asarray(image)
    small = np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4) if lanczos else scaled(rgb, (SIDE, SIDE)), np.uint8)
    luma = cv2.transform(rgb, _LUMA_BT709).astype(np.uint8, copy=False)
    return View(source=source, small=small, technical=technical(luma, full_range=True), thumbnail=thumbnail(small), picture=picture)


def shrink(frame: Frame, *, lanczos: bool = False) -> Rgb:
    """Scale a frame to RGB uint8 of shape (224, 224, 3).

    `lanczos`: scale by a Lanczos filter; otherwise areas are averaged. `picture_view` scales picture files in the same way.
    """
    if lanczos:
        return cv2.resize(frame.rgb(), (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4).astype(np.uint8, copy=False)
    return frame.rgb(size=(SIDE, SIDE), interpolation=Interpolation.AREA)
