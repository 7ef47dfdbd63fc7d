"""Storage of measured motion, shared by operations on one clip."""

from typing import Any, Protocol

from services.speed_ramp.motion.pairs import VERSION
from services.speed_ramp.motion.sampling import SampledPart
from shared.operation import KeptMeasurement


class MeasuredPart(SampledPart, Protocol):
    """Params that determine the measured motion."""

    @property
    def uses_motion(self) -> bool: ...


def _measured_part(params: MeasuredPart) -> dict[str, Any] | None:
    """Return the params that determine the measured motion.

    Returns None if no motion is measured.
    """
    if not params.uses_motion:
        return None
    return {"start": params.start, "duration": params.duration, "sample_rate": params.sample_rate}


MOTION = KeptMeasurement(name="motion", input="video", version=VERSION, depends_on=_measured_part)
"""Stored motion measurement, one for each part of a clip and each sampling. The other params of a curve do not change it."""
