"""Estimate of the frames to decode for reading one frame per shot.

It is made from the places of the file's own keyframes, without decoding.
"""

import numpy as np

from shared.video import Timeline

ROUTINE_SHARE = 0.97
"""Minimum distance of a routine keyframe from the previous keyframe. It is a share of the longest distance between keyframes in the file.
Encoders add routine keyframes where a shot is long."""


def share_before_choices(line: Timeline, most_choices: int) -> float:
    """Estimate the share of a video's frames to decode for one frame per shot.

    To read a frame, all frames from the file's keyframe before it must be decoded. Encoders put a keyframe where a shot begins, and routine
    ones where a shot is long. One frame of each shot is chosen, on average half-way to the next keyframe. `most_choices`: maximum number
    of chosen frames.
    """
    lengths = np.diff(np.flatnonzero(line.key), append=len(line.pts))
    begins_shot = np.append(True, lengths[:-1] < ROUTINE_SHARE * lengths.max(initial=0))[: len(lengths)]
    shots = int(np.count_nonzero(begins_shot))
    if not shots:
        return 0.0
    return float(lengths[begins_shot].sum()) / 2 / len(line.pts) * min(1.0, most_choices / shots)
