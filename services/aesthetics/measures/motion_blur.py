"""Rating of a picture's motion blur, from its sharpness in each direction."""

from collections.abc import Sequence

SMEARED, STEADY = 0.35, 0.85
"""Ratios of the least sharp direction to the sharpest. Up to SMEARED the steadiness is 0, from STEADY on it is 1."""


def steadiness(sharpness: Sequence[float]) -> float:
    """Rate the absence of motion blur from 0 (strong blur) to 1 (none).

    `sharpness`: see `Sharpness.directions`. Motion while the shutter is open blurs along one direction only. A picture out of focus
    is soft in all directions, and is not penalized.
    """
    best = max(sharpness)
    if best <= 0:
        return 1.0
    return min(max((min(sharpness) / best - SMEARED) / (STEADY - SMEARED), 0.0), 1.0)
