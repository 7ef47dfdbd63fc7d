"""Connected regions of a matte, and the choice of regions.

The choice is the main region, or the regions that a mask, a box or clicks mark.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Region = NDArray[np.bool_]

SOLID = 0.5
"""Alpha above which a pixel belongs to a region."""
_MIN_SHARE = 0.0005  # share of the picture below which a region is a speck
_MIN_OVERLAP = 0.3  # minimum overlap of a region and a mask, as a share of the smaller of both


def regions_of(alpha: NDArray[np.float32]) -> list[Region]:
    """Return the connected regions of a matte, largest first.

    `alpha`: (h, w). Regions smaller than 0.05 % of the picture are left out.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > SOLID).astype(np.uint8), connectivity=8)
    least = max(_MIN_SHARE * alpha.size, 4)
    numbers = [number for number in range(1, count) if stats[number, cv2.CC_STAT_AREA] >= least]
    numbers.sort(key=lambda number: -int(stats[number, cv2.CC_STAT_AREA]))
    return [labels == number for number in numbers]


def without_specks(region: Region) -> Region:
    """Remove specks from a region.

    Specks are connected parts smaller than 0.05 % of the picture. The region is (h, w).
    """
    parts = regions_of(region.astype(np.float32)) if region.any() else []
    return np.logical_or.reduce(parts) if parts else np.zeros_like(region)


def main_region(regions: Sequence[Region]) -> Region | None:
    """Return the main region: large, and near the picture's centre.

    Pixels weigh less the farther they are from the middle. None without regions.
    """
    if not regions:
        return None
    height, width = regions[0].shape
    across = np.abs((np.arange(width) + 0.5) / width - 0.5) * 2
    down = np.abs((np.arange(height) + 0.5) / height - 0.5) * 2
    weight = (1 - 0.7 * across**2)[None, :] * (1 - 0.4 * down**2)[:, None]
    return max(regions, key=lambda region: float(weight[region].sum()))


def masked_region(regions: Sequence[Region], mask: Region) -> Region | None:
    """Join all regions that overlap a mask.

    The overlap has to be at least 30 % of the region or of the mask, whichever is smaller. Returns None if there is no such region.
    """
    selection = [region for region in regions if _overlap(region, mask) >= _MIN_OVERLAP]
    return np.logical_or.reduce(selection) if selection else None


def boxed_region(regions: Sequence[Region], box: tuple[int, int, int, int]) -> Region | None:
    """Join all regions that lie at least half inside a box.

    `box`: (left, top, right, bottom). If there is none, the largest part of a region within the box is returned; None if the box is empty.
    """
    inside = np.zeros(regions[0].shape, bool) if regions else np.zeros((1, 1), bool)
    inside[box[1] : box[3], box[0] : box[2]] = True
    selection = [region for region in regions if (region & inside).sum() >= 0.5 * region.sum()]
    if not selection:
        selection = sorted((region & inside for region in regions), key=lambda region: -int(region.sum()))[:1]
        selection = [region for region in selection if region.any()]
    return np.logical_or.reduce(selection) if selection else None


def clicked_region(regions: Sequence[Region], points: Sequence[tuple[int, int, int]], *, near: int) -> Region | None:
    """Join the regions at positive clicks, except regions with negative clicks.

    `points`: (x, y, 1 or -1); `near`: largest distance in pixels to a positive click. None if there is no such region.
    """
    selection = []
    for region in regions:
        distance = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 3)
        hit = any(label == 1 and distance[y, x] <= near for x, y, label in points)
        refused = any(label == -1 and distance[y, x] == 0 for x, y, label in points)
        if hit and not refused:
            selection.append(region)
    return np.logical_or.reduce(selection) if selection else None


def _overlap(region: Region, mask: Region) -> float:
    common = float((region & mask).sum())
    return common / max(min(float(region.sum()), float(mask.sum())), 1.0)
