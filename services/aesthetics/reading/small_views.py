"""Looking at pictures: each as what its scores are made from, in small."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from services.aesthetics.measures.near_duplicates import Impression, impression
from services.aesthetics.measures.technical import Technical, technical
from services.aesthetics.params import PictureParams, SampleParams, ScoreParams
from services.aesthetics.reading.picture_files import encoded, file_of
from shared.video import Frame, Picture, map_ordered, read_frames

SIDE = 224
"""Width and height of what a network is given: the picture, stretched."""

_LUMA_BT709 = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
"""Weights of R, G, B in the luma of HD video. OpenCV's gray has those of SD, which score saturated pictures differently."""

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """A picture that was looked at. `small`: (224, 224, 3) uint8. Of a video it holds the frame, of a picture file where that is."""

    source: int
    small: Rgb
    technical: Technical
    impression: Impression
    frame: Frame | None = None
    picture: Picture | None = None

    @property
    def time_s(self) -> float | None:
        """When it is shown in its video."""
        return None if self.frame is None else float(self.frame.time)

    @property
    def name(self) -> str | None:
        """Name of the picture file."""
        return None if self.picture is None else self.picture.name

    @property
    def held_bytes(self) -> int:
        """About how much memory the full picture takes."""
        return 0 if self.frame is None else self.frame.width * self.frame.height * 3 // 2

    def file(self, params: PictureParams) -> bytes:
        """The picture in full size as a file."""
        if self.frame is not None:
            return encoded(self.frame.rgb(), params)
        assert self.picture is not None
        return file_of(self.picture, params)


def sampled(video: Path, params: SampleParams, *, prefetch: int = 4) -> Iterator[Frame]:
    """The frames of a video that `params` ask for. Close it to end early."""
    frames = read_frames(
        video,
        start=params.start or None,
        duration=params.duration,
        per_second=params.sample_rate,
        to_sdr8=True,
        prefetch=prefetch,
    )
    with closing(frames):
        yield from frames


def look_at_video(video: Path, params: ScoreParams, source: int) -> Iterator[Look]:
    """Each sampled frame of a video, looked at on all cores."""

    def look(frame: Frame) -> Look:
        small = shrunk(frame, lanczos=params.preprocessing == "unit")
        luma = frame.luma()
        return Look(
            source=source,
            small=small,
            technical=technical(luma, full_range=frame.color.range == "pc"),
            impression=impression(small),
            frame=frame,
        )

    with closing(sampled(video, params)) as frames, closing(map_ordered(look, frames, ahead=1)) as looks:
        yield from looks


def look_at_picture(picture: Picture, params: ScoreParams, source: int) -> Look:
    """A picture file, looked at. Raises BrokenMedia or TooLarge."""
    with picture.image() as image:
        rgb = np.asarray(image)
    way = cv2.INTER_LANCZOS4 if params.preprocessing == "unit" else cv2.INTER_AREA
    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=way).astype(np.uint8, copy=False)
    luma = cv2.transform(rgb, _LUMA_BT709).astype(np.uint8, copy=False)
    return Look(
        source=source,
        small=small,
        technical=technical(luma, full_range=True),
        impression=impression(small),
        picture=picture,
    )


def shrunk(frame: Frame, *, lanczos: bool = False) -> Rgb:
    """Scale a frame to (224, 224, 3) R, G, B as `look_at_picture` scales a picture file: by averaging areas, or `lanczos`."""
    if lanczos:
        return cv2.resize(frame.rgb(), (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4).astype(np.uint8, copy=False)
    return frame.rgb(size=(SIDE, SIDE), interpolation=Interpolation.AREA)
