"""From transitions to shots."""

from collections.abc import Sequence

from services.keyframes.detectors.transition import Transition
from services.keyframes.params import Shot


def shots_of(transitions: Sequence[Transition], times: Sequence[float], duration_s: float, *, min_shot_s: float = 0.0) -> list[Shot]:
    """The shots between `transitions`; `times` are those of all frames, `duration_s` is when the last one is over.

    A shot of fewer than `min_shot_s` seconds is joined to the one before it, the first to the one after. Without transitions it is one.
    """
    frames = len(times)
    kept: list[Transition] = []
    for one in sorted(transitions):
        began = times[kept[-1].middle] if kept else 0.0
        if 0 < one.middle < frames and (not kept or one.middle > kept[-1].middle) and times[one.middle] - began >= min_shot_s:
            kept.append(one)
    while kept and duration_s - times[kept[-1].middle] < min_shot_s:
        kept.pop()
    begins = [0, *(one.middle for one in kept)]
    ends = [*begins[1:], frames]
    shots = []
    for index, (start, end) in enumerate(zip(begins, ends, strict=True)):
        how = kept[index - 1] if index else None
        shots.append(
            Shot(
                index=index,
                start_s=times[start],
                end_s=times[end] if end < frames else duration_s,
                start_frame=start,
                end_frame=end,
                kind=how.kind if how else "start",
                transition_start_frame=how.start if how else 0,
                transition_end_frame=how.end if how else 0,
                confidence=round(how.confidence, 4) if how else 1.0,
            )
        )
    return shots
