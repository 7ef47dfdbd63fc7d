"""Motion of a clip over time."""

from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.motion.camera import Floats, length, without_shake
from services.speed_ramp.motion.measure import Meter, Step, analysis_size
from services.speed_ramp.motion.pairs import Pairs, read_pairs, write_pairs
from services.speed_ramp.motion.sampling import Samples
from shared.operation import Progress
from shared.video import Frame, VideoInfo, map_beside_decoding, opencv_on_one_thread
from shared.video.clip.empty_part import no_frame

_LONGEST_CUT = 2  # maximum number of pairs in a row that a cut (1) or a flashed frame (2) changes; more are motion too fast for the flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure of motion, as a row of MEASURES.

    `combine` gets the subject's and the camera's motion over time.
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    combine: Callable[[Floats, Floats], Floats]


MEASURES = {
    measure.name: measure
    for measure in (
        # The subject moves independently of the camera, so both motions add up like perpendicular vectors.
        Measure(
            name="total",
            label="Subject and camera",
            description="is the motion of subject and camera together",
            combine=lambda subject, camera: np.hypot(subject, camera),
        ),
        Measure(
            name="subject", label="Subject", description="is the motion of objects in the scene", combine=lambda subject, _camera: subject
        ),
        Measure(name="camera", label="Camera", description="is pans, zooms and turns", combine=lambda _subject, camera: camera),
    )
}


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Motion of a measured part over time; times are in seconds from its start.

    `values[i]` (frame diagonals per second) was reached at `times[i]`. It stands for the time from `ends[i - 1]` (or 0) to `ends[i]`.
    """

    times: Floats
    ends: Floats
    values: Floats
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredMotion:
    """Measured motion and cuts of a part of a video.

    Times of cuts are in seconds from the part's start. `frames`: the number of frames compared.
    """

    trace: Trace
    cuts: list[float]
    frames: int


def measure_motion(info: VideoInfo, samples: Samples, measure: Measure, progress: Progress, *, file: Path | None = None) -> MeasuredMotion:
    """Measure the motion between the sampled frames.

    Memory holds a few numbers per pair of frames. `file`: file of an earlier measurement of the same frames; if it does not exist, it is
    written. Raises Invalid if there is no frame.
    """
    pairs = read_pairs(file) if file is not None else None
    if pairs is None:
        with opencv_on_one_thread():
            pairs = _measured_pairs(info, samples, progress)
        if file is not None:
            write_pairs(file, pairs)
    total = samples.expected(info)
    progress(total, total)
    at, count = pairs.times, len(pairs.times)
    # A value holds for the time since the previous frame; that of a sampled pair for the time around the pair.
    ends = at if samples.every_frame else np.append((at[1:] + at[:-1]) / 2, at[-1:] + 1e-9)
    motions = np.concatenate([pairs.subject[:, None], pairs.camera.astype(np.float64)], axis=1)
    motions, cuts = without_cuts(at, motions, pairs.mismatched)
    camera_lengths = length(without_shake(motions[:, 1:].reshape(count, 3, 2), ends), info.width, info.height)
    values = measure.combine(motions[:, 0], camera_lengths)
    trace = Trace(times=at, ends=ends, values=values, duration_s=float(pairs.end) - samples.start_s)
    return MeasuredMotion(trace=trace, cuts=cuts, frames=pairs.frames)


def _measured_pairs(info: VideoInfo, samples: Samples, progress: Progress) -> Pairs:
    """Measure the motion between consecutive sampled frames."""
    times, subject, camera, mismatched, frames = array("d"), array("d"), array("f"), array("b"), 0
    total = samples.expected(info)
    for comparison in _comparisons(samples, analysis_size(info.width, info.height)):
        frames += 1
        if comparison.step is not None:
            times.append(comparison.time - samples.start_s)
            subject.append(comparison.step.subject / comparison.elapsed)
            camera.extend((comparison.step.camera / comparison.elapsed).ravel())
            mismatched.append(comparison.step.cut)
        progress(min(frames, total), total)
    if not frames:
        raise no_frame(samples.start_s)
    return Pairs(
        times=np.array(times),
        subject=np.array(subject),
        camera=np.array(camera, dtype=np.float32).reshape(len(times), 6),
        mismatched=np.array(mismatched, dtype=bool),
        frames=frames,
        end=samples.end,
    )


def without_cuts(times: Floats, values: Floats, mismatched: NDArray[np.bool_]) -> tuple[Floats, list[float]]:
    """Interpolate motion across cuts and flashes; return it with the times of the cuts.

    `times` (n), `values` (n, k): motion of each pair of frames. `mismatched` (n): whether the frames of each pair show different scenes.
    More than two such pairs in a row are fast motion and stay unchanged. Returns the values and the times of the cuts.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mismatched, [False]]).astype(np.int8)))
    runs = [(a, b) for a, b in edges.reshape(-1, 2) if b - a <= _LONGEST_CUT]
    valid = np.ones(len(values), dtype=bool)
    for start, stop in runs:
        valid[start:stop] = False
    if runs and valid.any():
        values = np.stack([np.interp(times, times[valid], column[valid]) for column in values.T], axis=1)
    elif runs:
        values = np.zeros_like(values)
    return values, [float(times[start]) for start, _ in runs]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Time of a frame, with its motion since an earlier frame.

    `time`: in seconds. `elapsed`: seconds since the earlier frame. `step`: None if there is no earlier frame to compare with.
    """

    time: float
    elapsed: float
    step: Step | None


@dataclass(frozen=True, slots=True)
class _SmallFrame:
    """Time and reduced luma of a frame.

    The time is in seconds; the luma is uint8 (height, width).
    """

    time: Fraction
    luma: NDArray[np.uint8]


def _comparisons(samples: Samples, size: tuple[int, int]) -> Iterator[_Comparison]:
    """Yield a comparison for each sampled frame.

    `size`: (width, height) of the compared pictures in pixels.
    """
    meter = Meter()

    def shrink(frame: Frame | None) -> _SmallFrame | None:
        return None if frame is None else _SmallFrame(frame.time, frame.small_luma(*size))

    def compare(pair: tuple[_SmallFrame | None, _SmallFrame | None]) -> _Comparison | None:
        before, after = pair
        if after is None:
            return None
        if before is None:
            return _Comparison(float(after.time), 0.0, None)
        return _Comparison(float(after.time), float(after.time - before.time), meter(before.luma, after.luma))

    with closing(iter(samples)) as frames:
        pairs = pairwise(map_beside_decoding(shrink, frames))
        yield from (comparison for comparison in map_beside_decoding(compare, pairs) if comparison is not None)
