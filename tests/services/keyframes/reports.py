"""Invented video reports with round numbers and hostile names."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from services.keyframes.output.report import Keyframe, Scores, VideoReport
from services.keyframes.selection.shots import Shot

HOSTILE = "a</script><script>alert(1)</script>&<b>\"'\n* FROM: x\u2028.mp4"


def report_of(
    edges: Sequence[int],
    *,
    rate: Fraction = Fraction(25),
    times: Sequence[float] | None = None,
    kinds: Sequence[str] = (),
    name: str = "clip.mp4",
    **more: object,
) -> VideoReport:
    """Make a report with shots between the frame numbers `edges`.

    `times`: times of all frames and of the end, in seconds.
    """
    at = list(times) if times is not None else [float(frame / rate) for frame in range(edges[-1] + 1)]
    kinds = [*kinds, *["cut"] * (len(edges) - 1 - len(kinds))]
    shots = [
        Shot(
            index=index, start_s=at[start], end_s=at[end], start_frame=start, end_frame=end, kind=kinds[index] if index else "start",
            transition_start_frame=start - 5 if kinds[index] == "dissolve" else start,
            transition_end_frame=start + 5 if kinds[index] == "dissolve" else start,
            confidence=0.75,
        )
        for index, (start, end) in enumerate(pairwise(edges))
    ]  # fmt: skip
    keyframes = [
        Keyframe(
            file=f"clip-{shot.index + 1:04d}.jpg", thumbnail=f"clip/thumbnails/clip-{shot.index + 1:04d}.jpg",
            timestamp_s=at[(shot.start_frame + shot.end_frame) // 2], frame=(shot.start_frame + shot.end_frame) // 2, shot=shot.index,
            score=0.5, reasons=["sharpest of its shot"], sharpness=1, exposure=0.5, typical=0.5, stillness=0.5,
        )
        for shot in shots
    ]  # fmt: skip
    body: dict[str, object] = {
        "name": name,
        "duration_s": at[-1],
        "frame_rate": f"{rate.numerator}/{rate.denominator}",
        "width": 640,
        "height": 360,
        "frames": edges[-1],
        "method": "difference",
        "threshold": 30.0,
        "shots": shots,
        "keyframes": keyframes,
        "scores": Scores(
            frames=list(range(edges[-1])),
            times=at[:-1],
            values={"difference": [60.0 if frame in edges[1:-1] else 1.0 for frame in range(edges[-1])]},
        ),
    }
    return VideoReport.model_validate(body | more)
