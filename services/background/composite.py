"""background.composite: put the subject of a clip over another background."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from pydantic import BaseModel, Field

from services.background.clip.aligned_plate import AlignedPlate
from services.background.clip.backdrop import Backdrop, End, Fit, is_clip
from services.background.clip.planes import Plane, Planes, alpha_of, planes_420
from services.background.mixing.compositor import (
    Compositor,
    FrameMeasurements,
    Layers,
    Look,
    MeasurementSmoother,
    Shadow,
    SteadyMeasurements,
)
from services.background.mixing.grain import Grain, grain_of
from services.background.mixing.over import chroma_alpha
from services.background.params import LookParams
from shared.errors import Invalid
from shared.operation import Input, Kind, Operation, Preset, Progress, Silent, form
from shared.video import VideoInfo, conversion_warnings, map_ordered, probe, read_together
from shared.video.clip.clip_file import PIXELS, ClipFile, Target
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import Times, WrittenVideo, expected_frames, matte_warnings, probe_clip, rate_of, write_again
from shared.video.frames.color import apply_tags, matrix_or_guess
from shared.video.frames.planes import picture_from
from shared.video.info import ColorInfo
from shared.video.stills.opaque_picture import opaque_picture

_WORKERS = 2
_PIXELS = PIXELS | {"png": "rgba"}


class CompositeParams(LookParams, ClipPart):
    """Options of the background and of the mix with the subject."""

    color: str = Field(
        "#00b140",
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Background colour as #RRGGBB, where no background is given.",
        title="Background colour",
        json_schema_extra=form("basics", widget="colour"),
    )
    fit: Fit = Field(
        "cover",
        description="How a background of another shape fits: `cover` crops it, `contain` adds bars, `stretch` distorts it.",
        title="Fit",
        json_schema_extra=form("basics", labels={"cover": "Fill", "contain": "Fit inside", "stretch": "Stretch"}),
    )
    background_end: End = Field(
        "loop",
        description="When a background clip is shorter: `loop` it, `hold` its last frame, or `trim` the result to its length.",
        title="Short background",
        json_schema_extra=form("more", labels={"loop": "Loop", "hold": "Hold the last frame", "trim": "Trim the result"}),
    )
    background_start: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="Seconds of the background clip to begin at.",
        title="Background start",
        json_schema_extra=form("more", unit="s"),
    )
    shadow: Shadow = Field(
        "none",
        description="`keep` the real shadow (needs a plate), draw a soft `contact` shadow at the feet, or `none`.",
        title="Shadow",
        json_schema_extra=form("basics", labels={"none": "None", "keep": "Keep the real one", "contact": "Draw one"}),
    )
    format: Literal["mp4", "prores", "vp9", "png"] = Field(
        "mp4",
        description="`mp4`: the composite. The others hold the subject alone with its alpha, straight, for editing programs: ProRes 4444, "
        "VP9 in WebM, or a zip file of RGBA pictures; background, light and grain do not apply.",
        title="File format",
        json_schema_extra=form(
            "more",
            labels={
                "mp4": "MP4",
                "prores": "ProRes 4444, subject alone",
                "vp9": "WebM, subject alone",
                "png": "PNG pictures, subject alone",
            },
        ),
    )


class CompositeResult(BaseModel):
    """Summary of the written composite."""

    frames: int = Field(description="Frames in the output.")
    frame_rate: str = Field(description='Frames per second as an exact fraction, such as "30000/1001"; the average where it varies.')
    duration_s: float = Field(description="Seconds of video in the output.")
    background: Literal["color", "picture", "video", "none"] = Field(description="What the subject was put over; none if alpha is written.")
    grain: float = Field(description="Levels of grain (standard deviation, of 255) given to the background.")
    encoder: str = Field(description="Video encoder used.")


def composite(
    params: CompositeParams,
    *,
    video: Path,
    alpha: Path,
    background: Path | None,
    plate: Path | None,
    output: Path,
    progress: Progress = Silent(),
) -> CompositeResult:
    """Put the subject of `video` over another background.

    `alpha`: a gray video, white is the subject. `background`: a picture or a clip; None takes `params.color`. `plate`: the clip's own clean
    background, made by background.plate with `canvas` frame; with it edge colours are exact and the real shadow can be kept. Frames are
    mixed in Y, U and V planes of 8 bits; times, sound and tags are the clip's. Raises UnsupportedMedia and BrokenMedia for the sources,
    Invalid if no frame begins in the part, or if the shadow is to be kept without a plate.
    """
    info = probe_clip(video, params)
    _refuse(params, {} if plate is None else {"plate": plate})
    only_subject = params.format != "mp4"
    if only_subject:
        background = None
    params = _trimmed(params, info, background)
    for warning in matte_warnings(alpha, params, info=info):
        progress.warn(warning)
    for warning in _behind_remarks(background):
        progress.warn(warning)
    session = _Session(params, info, video, alpha, background, plate, progress)
    if not only_subject:
        with closing(session.pictures()) as pictures:
            written = write_again(pictures, params, video=video, info=info, output=output, progress=progress)
    else:
        written = _write_subject(session, params, video, info, output, progress)
    session.warn(progress)
    rate = rate_of(info)
    return CompositeResult(
        frames=written.frames,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        duration_s=written.duration_s,
        background="none" if only_subject else "color" if background is None else "video" if session.moving else "picture",
        grain=round(session.grain_levels, 2),
        encoder=written.encoder,
    )


def _trimmed(params: CompositeParams, info: VideoInfo, background: Path | None) -> CompositeParams:
    """End the part where a background clip with `trim` ends.

    Sound, subtitles and chapters are those of the part, so they end there too.
    """
    if background is None or params.background_end != "trim":
        return params
    behind = probe(background)
    if not isinstance(behind, VideoInfo):
        return params
    left = behind.length_s - params.background_start
    rest = info.length_s - params.start if params.duration is None else params.duration
    return params.model_copy(update={"duration": left}) if 0 < left < rest else params


def _behind_remarks(background: Path | None) -> Iterator[str]:
    """Yield warnings about what reading changes of a background clip."""
    behind = None if background is None else probe(background)
    if isinstance(behind, VideoInfo):
        for warning in conversion_warnings(behind, to_sdr8=True):
            yield f"Background: {warning}"


def _write_subject(
    session: "_Session", params: CompositeParams, video: Path, info: VideoInfo, output: Path, progress: Progress
) -> WrittenVideo:
    """Write the subject alone with its alpha.

    Raises Invalid if no frame begins in the part.
    """
    assert params.format != "mp4"
    for warning in conversion_warnings(info, to_sdr8=True, written_as=_PIXELS[params.format]):
        progress.warn(warning)
    expected, count = expected_frames(info, params), 0
    first, end = Fraction(0), Fraction(0)
    target = Target(path=output, format=params.format, sound=params.format != "png", rgba=True)
    with ClipFile(target, video, info, params, progress) as file, closing(session.subjects()) as subjects:
        for times, picture, alpha in subjects:
            first = times.time if not count else first
            file.write(picture, times, alpha)
            count, end = count + 1, (times.pts + times.duration) * times.time_base - first
            progress(min(count, expected), expected)
        if not count:
            raise Invalid(
                f"No frame of the video begins in the part from {params.start:g} s on. Choose another start or a longer duration."
            )
    return WrittenVideo(count, float(end), file.encoder or "png")


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """A frame with its times, colour tags and layers."""

    times: Times
    color: ColorInfo
    layers: Layers


class _Session:
    """State of one composite: sources, aligned plate and measured grain."""

    def __init__(
        self,
        params: CompositeParams,
        info: VideoInfo,
        video: Path,
        alpha: Path,
        background: Path | None,
        plate: Path | None,
        progress: Progress,
    ) -> None:
        self._params, self._video, self._alpha = params, video, alpha
        self._background, self._plate, self._progress = background, plate, progress
        self._size = info.width, info.height
        self.moving = background is not None and is_clip(background)
        self.grain_levels = 0.0
        self._aligned: AlignedPlate | None = None

    def pictures(self) -> Generator[tuple[Times, av.VideoFrame], None, None]:
        """Yield the composite's frames."""
        with ExitStack() as stack:
            taken = stack.enter_context(closing(self._read()))
            first = next(taken, None)
            if first is None:
                return
            matrix = matrix_or_guess(first.color, *self._size)
            grain = self._measured_grain(first.layers) if self._params.grain else None
            compositor = Compositor(self._look(matrix), grain)
            steady = MeasurementSmoother()

            def measured(each: _Source) -> tuple[_Source, FrameMeasurements]:
                layers = each.layers
                clean = replace(layers, alpha=compositor.cleaned(layers.alpha))
                return _Source(each.times, each.color, clean), compositor.measure(clean)

            def composed(job: tuple[_Source, SteadyMeasurements]) -> tuple[Times, av.VideoFrame]:
                each, steadied = job
                picture = picture_from(compositor.compose(each.layers, steadied), *self._size, "yuv420p")
                apply_tags(picture, each.color.model_copy(update={"range": "tv"}))
                return each.times, picture

            def every() -> Iterator[_Source]:
                yield first
                yield from taken

            ready = ((each, steady(measures)) for each, measures in map_ordered(measured, every(), workers=_WORKERS, ahead=1))
            yield from map_ordered(composed, ready, workers=_WORKERS, ahead=1)

    def subjects(self) -> Generator[tuple[Times, av.VideoFrame, Plane], None, None]:
        """Yield the subject's own colours with alpha, frame by frame."""
        with closing(self._read()) as taken:
            compositor: Compositor | None = None

            def cleaned(each: _Source) -> tuple[Times, av.VideoFrame, Plane]:
                assert compositor is not None
                layers = each.layers
                alpha = compositor.cleaned(layers.alpha)
                clean = replace(layers, alpha=alpha)
                planes = compositor.subject(clean, (alpha, chroma_alpha(alpha)))
                picture = picture_from(planes, *self._size, "yuv420p")
                apply_tags(picture, each.color.model_copy(update={"range": "tv"}))
                return each.times, picture, alpha

            def every() -> Iterator[_Source]:
                nonlocal compositor
                for each in taken:
                    compositor = compositor or Compositor(self._look(matrix_or_guess(each.color, *self._size)))
                    yield each

            yield from map_ordered(cleaned, every(), workers=_WORKERS, ahead=1)

    def warn(self, progress: Progress) -> None:
        """Warn about frames that could not be aligned with the plate."""
        if self._aligned is not None and self._aligned.lost:
            progress.warn(f"The plate could not be aligned with {self._aligned.lost} frames; these keep the view of the previous frame.")

    def _look(self, matrix: str) -> Look:
        look = self._params.look(matrix=matrix, shadow=self._params.shadow)
        return look if self._background is not None else replace(look, match=0.0)

    def _read(self) -> Generator[_Source, None, None]:
        """Yield frames with their alpha, background and plate."""
        params = self._params
        with ExitStack() as stack:
            frames = stack.enter_context(
                read_together(
                    self._video, self._alpha, opaque=True, start=params.start or None, duration=params.duration, to_sdr8=True, prefetch=4
                )
            )
            backgrounds: Callable[[Fraction], Planes | None] | None = None
            begin = Fraction(0)
            for number, (frame, matte) in enumerate(frames):
                if backgrounds is None:
                    matrix = matrix_or_guess(frame.color, *self._size)
                    begin = frame.time
                    backgrounds = self._backgrounds(Backdrop(*self._size, matrix), stack)
                    if self._plate is not None:
                        picture = Backdrop(*self._size, matrix).picture(opaque_picture(self._plate, self._progress), "stretch")
                        self._aligned = AlignedPlate(picture)
                background = backgrounds(frame.time - begin)
                if background is None:
                    return
                planes, alpha = planes_420(frame), alpha_of(matte, self._size)
                plate = self._aligned.at(planes[0], alpha) if self._aligned is not None else None
                yield _Source(Times.of(frame), frame.color, Layers(number, planes, alpha, background, plate))

    def _backgrounds(self, backdrop: Backdrop, stack: ExitStack) -> Callable[[Fraction], Planes | None]:
        """Return a function that gives the background's planes at a time.

        Times are seconds from the first frame and must rise. The function returns None after the end of a clip with `trim`.
        """
        params = self._params
        if self._background is None or not self.moving:
            still = (
                backdrop.color(params.color)
                if self._background is None
                else backdrop.picture(opaque_picture(self._background, self._progress), params.fit)
            )
            return lambda _: still
        requested: list[Fraction] = []

        def times() -> Iterator[Fraction]:
            while True:
                yield requested.pop()

        clip = stack.enter_context(
            closing(
                backdrop.clip(
                    self._background, fit=params.fit, end=params.background_end, start_s=params.background_start, rate_times=times()
                )
            )
        )

        def at(time: Fraction) -> Planes | None:
            requested.append(time)
            return next(clip)

        return at

    def _measured_grain(self, layers: Layers) -> Grain | None:
        """Return the grain to add to the background; None over a plain colour."""
        if self._background is None:
            return None
        inside = cv2.erode(layers.alpha, np.ones((5, 5), np.uint8)) > 250
        mine = grain_of(layers.frame[0], inside if inside.sum() > 2000 else None)
        its = grain_of(layers.background[0])
        self.grain_levels = float(np.sqrt(max(mine * mine - its * its, 0.0)))
        return Grain(*self._size, self.grain_levels)


def _refuse(params: CompositeParams, given: Mapping[str, object]) -> None:
    """Raise Invalid for a shadow that is kept without a plate."""
    if params.shadow == "keep" and params.format == "mp4" and "plate" not in given:
        detail = "`keep` compares the clip with its clean plate, and no plate is given"
        raise Invalid(f"{detail}. Give `plate`, or choose `contact`.", errors=[{"field": "params.shadow", "detail": detail}])


COMPOSITE = Operation(
    name="background.composite",
    title="New background",
    presets=(
        Preset(name="colour", title="Plain colour", sentence="The subject before one colour.", params=CompositeParams(color="#1e3a5f")),
        Preset(
            name="natural",
            title="Natural",
            sentence="Light and colours follow the new background.",
            params=CompositeParams(match=0.8, light_wrap=0.4, shadow="contact"),
        ),
        Preset(
            name="white",
            title="White studio",
            sentence="White, with a soft shadow at the feet.",
            params=CompositeParams(color="#ffffff", shadow="contact", light_wrap=0.1),
        ),
        Preset(
            name="editing",
            title="For editing programs",
            sentence="The subject alone, with its transparency.",
            params=CompositeParams(format="prores"),
        ),
    ),
    summary="Put the subject of a clip over a picture, a colour or another clip",
    params=CompositeParams,
    result=CompositeResult,
    inputs={
        "video": Kind.VIDEO,
        "alpha": Input(
            kind=Kind.VIDEO,
            matte=True,
            auto="matting.matte.alpha",
            title="Matte",
            description="Gray video of the subject, white where it is. `auto` makes it.",
        ),
        "background": Input(
            kind=Kind.IMAGE, also=Kind.VIDEO, optional=True, title="Background", description="Picture or clip. Without it: the colour."
        ),
        "plate": Input(
            kind=Kind.IMAGE, optional=True, title="Clean plate", description="The old scene without the subject: cleaner edges."
        ),
    },
    outputs={"video": Kind.VIDEO},
    run=composite,
    refuse=_refuse,
    example=CompositeParams(color="#1e3a5f"),
)
