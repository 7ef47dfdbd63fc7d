"""The measured motion of a clip, which all operations that analyse it share."""

from typing import Any

from services.speed_ramp.motion.pairs import VERSION
from services.speed_ramp.params import CurveParams, MotionParams
from shared.operation import KeptMeasurement


def _measured_part(params: MotionParams) -> dict[str, Any] | None:
    """Return the params that the measured motion depends on.

    None if `params` give the curve.
    """
    if isinstance(params, CurveParams) and (params.curve is not None or params.speeds is not None):
        return None
    return params.model_dump(mode="json", include={"start", "duration", "sample_rate"})


MOTION = KeptMeasurement(name="motion", input="video", version=VERSION, depends_on=_measured_part)
"""One file for each part of a clip and each sampling; the other params of a curve do not change it."""
