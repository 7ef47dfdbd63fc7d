"""Shots: the parts of a video between transitions."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from services.keyframes.detectors.transition import Transition


class Shot(BaseModel):
    """A run of frames between two transitions."""

    index: int = Field(description="Number of the shot, from 0.")
    start_s: float = Field(description="Time of the shot's first frame in seconds.")
    end_s: float = Field(description="Time at which the shot's last frame ends, in seconds; the next shot's `start_s`.")
    start_frame: int = Field(description="Number of the shot's first frame in the video, from 0.")
    end_frame: int = Field(description="Number of the frame after the shot's last; the next shot's `start_frame`.")
    kind: Literal["start", "cut", "fade", "dissolve"] = Field(
        description="How the shot begins: `start` of the video, hard `cut`, `fade` through one colour, or `dissolve` (also wipes). A "
        "gradual transition is split at its middle."
    )
    transition_start_frame: int = Field(description="First frame of the transition into this shot. At a cut: `start_frame`.")
    transition_end_frame: int = Field(description="Frame after the last of the transition into this shot. At a cut: `start_frame`.")
    confidence: float = Field(description="Confidence that the shot begins here, 0 to 1.")


def shots_between(transitions: Sequence[Transition], times: Sequence[float], duration_s: float, *, min_shot_s: float = 0.0) -> list[Shot]:
    """Split a video into shots at the middle of each transition.

    `times`: time of every frame in seconds. `duration_s`: time at which the last frame ends. A shot shorter than `min_shot_s` seconds is
    joined to the previous shot; if it is the first shot, to the next one. Without transitions there is one shot.
    """
    frames = len(times)
    survivors: list[Transition] = []
    for transition in sorted(transitions):
        middle = transition.middle
        shot_start = times[survivors[-1].middle] if survivors else 0.0
        if 0 < middle < frames and (not survivors or middle > survivors[-1].middle) and times[middle] - shot_start >= min_shot_s:
            survivors.append(transition)
    while survivors and duration_s - times[survivors[-1].middle] < min_shot_s:
        survivors.pop()
    starts = [0, *(transition.middle for transition in survivors)]
    ends = [*starts[1:], frames]
    shots = []
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        transition_in = survivors[index - 1] if index else None
        shots.append(
            Shot(
                index=index,
                start_s=times[start],
                end_s=times[end] if end < frames else duration_s,
                start_frame=start,
                end_frame=end,
                kind=transition_in.kind if transition_in else "start",
                transition_start_frame=transition_in.start if transition_in else 0,
                transition_end_frame=transition_in.end if transition_in else 0,
                confidence=round(transition_in.confidence, 4) if transition_in else 1.0,
            )
        )
    return shots
