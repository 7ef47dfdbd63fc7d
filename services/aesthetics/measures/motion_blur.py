"""Whether a picture is smeared in one direction."""

from collections.abc import Sequence

SMEARED, STEADY = 0.35, 0.85
"""The least sharp direction as a share of the sharpest: of a picture that is smeared, and from which on none is."""


def steadiness(sharpness: Sequence[float]) -> float:
    """How free of motion blur a picture is, from 0 to 1.

    `sharpness`: what `directional_sharpness` gives. Movement while the shutter is open blurs along its direction and leaves what lies
    across it sharp; what is out of focus is soft in every direction alike and is not called smeared.
    """
    best = max(sharpness)
    if best <= 0:
        return 1.0
    return min(max((min(sharpness) / best - SMEARED) / (STEADY - SMEARED), 0.0), 1.0)
