"""Result model of motion over time, and its creation from a trace."""

import numpy as np
from pydantic import BaseModel, Field

from services.speed_ramp.motion.trace import Trace

_MAX_VALUES = 100_000


class Motion(BaseModel):
    """Motion values at source times."""

    times: list[float] = Field(description="Times of the frames, in seconds of source.")
    values: list[float] = Field(description="Motion since the previous frame, in frame diagonals per second.")


def motion_curve(trace: Trace, start: float) -> Motion:
    """Convert a motion trace to the `Motion` of a result.

    Groups of values are averaged if there are too many. `start`: source second at which the trace begins.
    """
    group = -(-len(trace.times) // _MAX_VALUES) or 1
    starts = np.arange(0, len(trace.times), group)
    means = np.add.reduceat(trace.values, starts) / np.diff(np.append(starts, len(trace.values))) if len(starts) else trace.values
    last = np.minimum(starts + group, len(trace.times)) - 1
    return Motion(times=(start + trace.times[last]).tolist(), values=np.round(means, 6).tolist())
