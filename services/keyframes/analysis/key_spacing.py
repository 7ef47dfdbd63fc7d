"""Estimate of how many frames must be decoded to reach one frame per shot.

It needs only the places of the file's own keyframes.
"""

import numpy as np

from shared.video import Timeline

ROUTINE_SHARE = 0.97
"""Distance before a routine keyframe, as a share of the longest distance. A routine keyframe begins no shot and marks no cut."""


def share_before_choices(line: Timeline, most_choices: int) -> float:
    """Estimate the share of frames to decode for one frame per shot.

    These frames lie between each chosen frame and the file's keyframe before it. Encoders put a keyframe where a shot begins, and routine
    ones where a shot is long. One frame of each shot is chosen, on average half-way to the next keyframe; at most `most_choices` are.
    """
    lengths = np.diff(np.flatnonzero(line.key), append=len(line.pts))
    begins_shot = np.append(True, lengths[:-1] < ROUTINE_SHARE * lengths.max(initial=0))[: len(lengths)]
    shots = int(np.count_nonzero(begins_shot))
    if not shots:
        return 0.0
    return float(lengths[begins_shot].sum()) / 2 / len(line.pts) * min(1.0, most_choices / shots)
