"""Estimate of the decoding needed to read one frame per shot.

It is made from the positions of the file's own keyframes, without decoding.
"""

import numpy as np

from shared.video import Timeline

ROUTINE_SHARE = 0.97
"""Minimum spacing of keyframes added within long shots, relative to the file's longest spacing. Encoders add such routine keyframes for
seeking, where no shot begins."""


def share_to_decode(line: Timeline, most_choices: int) -> float:
    """Estimate the share of frames to decode when reading one frame per shot.

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
