"""Histogram matching of two pictures.

Matched pictures can be compared whatever their exposure and tint.
"""

import numpy as np

from services.keyframes.analysis.thumbnail_film import Planes


def match_tones(picture: Planes, target: Planes) -> Planes:
    """Return `picture` with the histograms of `target`.

    `picture`, `target`: (3, 18, 32) uint8. Each plane's levels are replaced in their order, so that exposure, contrast and tint of `target`
    are taken over and the shapes stay.
    """
    matched = np.empty_like(picture)
    for plane, tone, out in zip(picture, target, matched, strict=True):
        out.ravel()[np.argsort(plane, axis=None, kind="stable")] = np.sort(tone, axis=None)
    return matched
