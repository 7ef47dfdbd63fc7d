"""media.proxy: make a small, frame-exact copy of a clip for players.

A frame map lists the clip's frame that each frame of the copy shows.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from services.media.output.frame_rate import Shown, at_constant_rate
from services.media.output.picture_size import even
from services.media.output.resizing import for_browsers
from shared.declarations.figure import figure
from shared.editing.rates import constant_rate
from shared.operation import Input, Kind, Operation, Params, Progress, Silent, form
from shared.video import (
    Frame,
    VideoInfo,
    VideoWriter,
    conversion_warnings,
    layout_of,
    map_ordered,
    probe_video,
    read_frames,
    read_together,
    text_warnings,
    track_warnings,
)
from shared.video.clip.cut_sound import PartSound
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import expected_frames
from shared.video.frames.color import BT709
from shared.video.frames.planes import picture_from, planes_of
from shared.video.frames.scaling import scaled

SHORTER, LONGER = 540, 1920  # pixels: default limit of a proxy's shorter side, and limit of its longer side
_AAC = frozenset({"mono", "stereo", "5.1", "5.1(side)"})
"""Sound layouts that browsers play from AAC."""

_BLACK, _WHITE, _GRAY = 16, 235, 128
_SAME_TIME_S = 0.0005  # largest difference of times that count as equal, in seconds


class ProxyParams(Params):
    """Params of the proxy's size and quality."""

    shorter: int = Field(
        SHORTER,
        ge=64,
        le=1080,
        multiple_of=2,
        description="Maximum length of the shorter side in pixels. Smaller clips keep their size.",
        title="Shorter side",
        json_schema_extra=form("basics", unit="px"),
    )
    quality: int = Field(
        50,
        ge=0,
        le=100,
        description="Picture quality of the output, from 0 (smallest file) to 100 (best).",
        title="Quality",
        json_schema_extra=form("basics"),
    )


class FrameMap(BaseModel):
    """Map from a proxy's frames to the clip's frames."""

    frame_rate: str = Field(description='Frames per second of the proxy as an exact fraction, such as "30000/1001".')
    frames: int = Field(description="Number of frames of the proxy.")
    width: int = Field(description="Width of the picture in pixels.")
    height: int = Field(description="Height of the picture in pixels; with a matte the proxy is twice as high.")
    source_width: int = Field(description="Width of the clip in pixels, upright and with square pixels.")
    source_height: int = Field(description="Height of the clip in pixels, upright and with square pixels.")
    source_frames: int = Field(description="Number of frames of the clip.")
    alpha: bool = Field(description="Whether a matte is below the picture.")
    numbers: list[int] | None = Field(description="Frame of the clip that each proxy frame shows. null: the frame of the same number.")
    times_s: list[float] | None = Field(description="Time of each frame of the clip in seconds. null: its number / `frame_rate`.")
    warnings: list[str] = Field(description="Warnings about differences from the clip.")


class ProxyResult(BaseModel):
    """Summary of a written proxy."""

    width: int = Field(description="Width of the picture in pixels.")
    height: int = Field(description="Height of the picture in pixels; with a matte the proxy is twice as high.")
    frames: int = Field(description="Number of frames of the proxy.", json_schema_extra=figure("frame_count"))
    frame_rate: str = Field(
        description='Frames per second of the proxy as an exact fraction, such as "30000/1001".', json_schema_extra=figure("frame_rate")
    )
    duration_s: float = Field(description="Length of the proxy in seconds.", json_schema_extra=figure("result_length"))
    encoder: str = Field(description="Video encoder used.", json_schema_extra=figure("encoder"))


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A frame of the clip with its number and the matte's frame."""

    frame: Frame
    number: int
    matte: Frame | None

    @property
    def pts(self) -> int:
        return self.frame.pts

    @property
    def time_base(self) -> Fraction:
        return self.frame.time_base

    @property
    def duration(self) -> int:
        return self.frame.duration

    @property
    def time(self) -> Fraction:
        return self.frame.time


def proxy(
    params: ProxyParams, *, video: Path, alpha: Path | None = None, outputs: dict[str, Path], progress: Progress = Silent()
) -> ProxyResult:
    """Write a proxy of a clip and its frame map.

    `outputs["proxy"]`: H.264 in MP4, every picture a keyframe, 8-bit BT.709, at a constant rate from time 0, with the first sound track in
    AAC. With `alpha` the matte is below the picture, in the same size, so that picture and matte always belong to the same frame.
    `outputs["frames"]`: a `FrameMap` as JSON. Reads the clip once, and keeps only the times of its frames in memory. Raises
    UnsupportedMedia and BrokenMedia; nothing is left after a failure.
    """
    info = probe_video(video)
    if alpha is not None:
        probe_video(alpha, hint="a matte is a gray video with the same length as the clip")
    size = proxy_size(info.width, info.height, params.shorter)
    rate = constant_rate(info.steady_rate, varies=False)
    warnings = [*conversion_warnings(info, to_sdr8=True), *track_warnings(info), *text_warnings(info)]
    for warning in warnings:
        progress.warn(warning)
    expected = expected_frames(info, ClipPart())
    numbers, times = list[int](), list[float]()
    with ExitStack() as stack:
        writer = stack.enter_context(
            VideoWriter(
                outputs["proxy"],
                width=size[0],
                height=size[1] * (1 if alpha is None else 2),
                frame_rate=rate,
                color=BT709,
                quality=params.quality,
                all_intra=True,
            )
        )
        playable = _playable_sound(info)
        sound = stack.enter_context(PartSound(writer, video, playable, start=Fraction(0)))

        def counted() -> Iterator[_Numbered]:
            for frame in _frames(video, alpha):
                times.append(round(float(frame.time), 6))
                progress(min(frame.number, expected), expected)
                yield frame

        for output_frame, picture in map_ordered(lambda frame: (frame, _picture(frame, size)), at_constant_rate(counted(), rate), ahead=2):
            # The first picture is shown from time 0 on.
            for _ in range(output_frame.first.pts + output_frame.count - len(numbers)):
                writer.write(picture, len(numbers))
                numbers.append(output_frame.frame.number)
            sound.write(until=len(numbers) / rate)
    outputs["frames"].write_text(_map(info, size, rate, numbers, times, alpha is not None, warnings).model_dump_json(), encoding="utf-8")
    progress(expected, expected)
    return ProxyResult(
        width=size[0],
        height=size[1],
        frames=len(numbers),
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        duration_s=float(len(numbers) / rate),
        encoder=writer.encoder,
    )


def proxy_size(width: int, height: int, shorter: int) -> tuple[int, int]:
    """Return the (width, height) of a proxy.

    Both are even, and at most one pixel larger than the clip's.
    """
    scale = min(Fraction(shorter, min(width, height)), Fraction(LONGER, max(width, height)), Fraction(1))
    return even(width * scale), even(height * scale)


def _frames(video: Path, alpha: Path | None) -> Iterator[_Numbered]:
    """Yield a clip's numbered frames with the frames of the matte."""
    if alpha is None:
        with read_frames(video, to_sdr8=True, opaque=True) as frames:
            for number, frame in enumerate(frames):
                yield _Numbered(frame, number, None)
        return
    with read_together(video, alpha, to_sdr8=True, opaque=True) as pairs:
        for number, (frame, matte) in enumerate(pairs):
            yield _Numbered(frame, number, matte)


def _picture(output_frame: Shown[_Numbered], size: tuple[int, int]) -> av.VideoFrame:
    """Return a proxy frame's picture, with any matte stacked under its bottom edge."""
    picture = for_browsers(output_frame.frame.frame, size)
    if output_frame.frame.matte is None:
        return picture
    luma, *chroma = planes_of(picture)
    matte = _limited(scaled(output_frame.frame.matte.matte(), size))
    stacked = (np.concatenate([luma, matte]), *(np.concatenate([plane, np.full_like(plane, _GRAY)]) for plane in chroma))
    return picture_from(stacked, size[0], 2 * size[1], "yuv420p")


def _limited(matte: NDArray[Any]) -> NDArray[np.uint8]:
    """Convert a matte from full range to limited range."""
    levels = np.rint(np.arange(256) * ((_WHITE - _BLACK) / 255) + _BLACK).astype(np.uint8)
    return np.asarray(cv2.LUT(matte, levels), np.uint8)


def _playable_sound(info: VideoInfo) -> VideoInfo:
    """Return `info` with one audio track, in a channel layout that AAC supports.

    The track is the first. It becomes stereo if AAC does not support its layout.
    """
    tracks = info.audio[:1]
    if tracks and layout_of(tracks[0].layout, tracks[0].channels) not in _AAC:
        tracks = (tracks[0].model_copy(update={"layout": "stereo", "channels": 2}),)
    return info.model_copy(update={"audio": tracks})


def _map(
    info: VideoInfo, size: tuple[int, int], rate: Fraction, numbers: list[int], times: list[float], alpha: bool, warnings: list[str]
) -> FrameMap:
    all_shown = numbers == list(range(len(times)))
    steady = all(abs(time - float(number / rate)) < _SAME_TIME_S for number, time in enumerate(times))
    return FrameMap(
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        frames=len(numbers),
        width=size[0],
        height=size[1],
        source_width=info.width,
        source_height=info.height,
        source_frames=len(times),
        alpha=alpha,
        numbers=None if all_shown else numbers,
        times_s=None if steady else times,
        warnings=warnings,
    )


PROXY = Operation(
    name="media.proxy",
    bytes_per_pixel=lambda _params: 21,
    title="Proxy",
    summary="Make a small copy of a clip that players can show frame by frame",
    params=ProxyParams,
    result=ProxyResult,
    inputs={
        "video": Kind.VIDEO,
        "alpha": Input(kind=Kind.VIDEO, optional=True, role="matte", title="Matte", description="Matte to show below the picture."),
    },
    outputs={"proxy": Kind.VIDEO, "frames": Kind.JSON},
    is_tool=False,
    run=proxy,
    version=6,
    example=ProxyParams(),
)
