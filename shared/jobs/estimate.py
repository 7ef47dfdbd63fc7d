"""Expected run times of jobs, from the run times of earlier jobs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Any

from shared.errors import UnknownMedia
from shared.jobs.database.history import PastRun
from shared.media.store import MediaStore

NEAREST = 8
"""Number of earlier jobs in an estimate. Those with the most similar params and size are chosen."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The expected run time of a job.

    `jobs`: number of earlier jobs that it was made from.
    """

    seconds: float
    jobs: int


def video_seconds(media: MediaStore, owner: str, inputs: Iterable[str | list[str] | None]) -> float | None:
    """Return the length of the longest input video in seconds.

    A list of videos counts as one. None without a video.
    """
    longest = 0.0
    for source in inputs:
        length = 0.0
        for media_id in source if isinstance(source, list) else [source] if source else []:
            with suppress(UnknownMedia):
                length += (media.get(owner, media_id).media or {}).get("duration_s") or 0.0
        longest = max(longest, length)
    return round(longest, 3) or None


def megapixel_frames(media: MediaStore, owner: str, inputs: Iterable[str | list[str] | None], params: Mapping[str, Any]) -> float | None:
    """Return the largest input's size in megapixel frames; sum the files of a list.

    Those are the millions of pixels in all frames of the part that is used. A picture counts as one frame. None for
    inputs of unknown size. Blocks on the disk.
    """
    largest = 0.0
    for source in inputs:
        size = 0.0
        for media_id in source if isinstance(source, list) else [source] if source else []:
            with suppress(UnknownMedia):
                size += _size(media.get(owner, media_id).media or {}, params)
        largest = max(largest, size)
    return round(largest, 3) or None


def estimate(past: Sequence[PastRun], size: float | None, params: Mapping[str, Any]) -> Estimate | None:
    """Estimate a job's run time; None without comparable earlier jobs.

    Takes the median time per megapixel frame of the earlier jobs whose choices differ least from `params`, and among them of those nearest
    in size. `size`: from `megapixel_frames`.
    """
    comparable = [run for run in past if (run.megapixel_frames is None) == (size is None)]
    if not comparable:
        return None
    ranked = sorted(comparable, key=lambda run: (_other_choices(run.params, params), _distance(run.megapixel_frames, size)))
    fewest = _other_choices(ranked[0].params, params)
    nearest = [run for run in ranked if _other_choices(run.params, params) == fewest][:NEAREST]
    if size is None:
        seconds = median(run.run_s for run in nearest)
    else:
        seconds = size * median(run.run_s / run.megapixel_frames for run in nearest if run.megapixel_frames)
    return Estimate(seconds=round(seconds, 1), jobs=len(nearest))


def _size(about: Mapping[str, Any], params: Mapping[str, Any]) -> float:
    pixels = (about.get("width") or 0) * (about.get("height") or 0) / 1e6
    if about.get("kind") != "video":
        return float(pixels)
    frames, length = about.get("frames") or 0, about.get("duration_s")
    start, duration = params.get("start") or 0, params.get("duration")
    if length and (start or duration):
        left = max(length - start, 0)
        frames = min(left, duration or left) * float(Fraction(about.get("frame_rate") or 0))
    return float(pixels * frames)


def _other_choices(earlier: Mapping[str, Any], params: Mapping[str, Any]) -> int:
    """Count the text and boolean params that differ from an earlier job's."""
    return sum(earlier.get(name) != value for name, value in params.items() if isinstance(value, str | bool))


def _distance(earlier: float | None, size: float | None) -> float:
    return abs(math.log(earlier / size)) if earlier and size else 0.0
