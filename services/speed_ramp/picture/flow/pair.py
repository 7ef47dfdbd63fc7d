"""Interpolation between two pictures: `FlowPair(before, after).at(t)`.

Both pictures are moved to moment t along dense optical flow and mixed, each where it is visible. `vectors.py` computes the motion,
`layers.py` decides what each pixel is made of at moment t, and `warp.py` composes the full-size planes.

`benchmarks/speed_ramp/bench_flow.py` drops every other frame of a clip, rebuilds it, and compares the quality with cross-fading, plain
warp-and-average and ffmpeg's minterpolate.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.picture.flow.layers import layers_at, still_layers
from services.speed_ramp.picture.flow.vectors import Vectors, find_vectors
from services.speed_ramp.picture.flow.warp import Planes as PlaneGroup
from services.speed_ramp.picture.flow.warp import compose

Planes = tuple[NDArray[Any], ...]


class FlowPair:
    """Interpolator of pictures between two consecutive frames.

    `before`, `after`: planes as from `Frame.planes()`, luma first: (height, width), or (height, width, n) where samples are interleaved;
    uint8 or uint16, the same shapes and types in both. `bits`: bits per sample, 8 to 16; results stay within that range. The arrays are
    kept, not copied: they must not change while the pair is in use.

    The constructor computes the flow, once for all moments. Equal pictures give bit-equal results for any number of OpenCV threads;
    `cv2.setNumThreads(1)` and one pair per core give the highest throughput. All heavy work releases the GIL, and `at` may be called from
    several threads. Raises ValueError if the pictures differ in shape or type.
    """

    def __init__(self, before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]], *, bits: int = 8) -> None:
        if not before or [(p.shape, p.dtype) for p in before] != [(p.shape, p.dtype) for p in after]:
            raise ValueError(f"the pictures differ: planes {[p.shape for p in before]} and {[p.shape for p in after]}")
        depth = 8 * before[0].dtype.itemsize
        if before[0].dtype not in (np.uint8, np.uint16) or not 8 <= bits <= depth:
            raise ValueError(f"{bits = } does not fit planes of {before[0].dtype}: uint8 holds 8 bits, uint16 holds 8 to 16")
        self._before, self._after, self._bits = tuple(before), tuple(after), bits
        self._vectors: Vectors = find_vectors(before[0], after[0], bits=bits)

    @property
    def cut(self) -> bool:
        """Whether the pictures show different scenes.

        A cut or a flash; `at` then returns the nearer picture.
        """
        return self._vectors.cut

    @property
    def still(self) -> bool:
        """Whether nothing moves between the pictures.

        In-between pictures are then plain mixes.
        """
        return self._vectors.still

    def at(self, t: float) -> Planes:
        """Return the picture at `t`, 0 (`before`) to 1 (`after`).

        Planes of the sources' shapes and type. At 0, at 1 and across a cut, these are a source's own arrays, not copies. Raises ValueError
        outside 0 to 1.
        """
        if not 0 <= t <= 1:
            raise ValueError(f"{t = } must be from 0 to 1")
        if t in (0, 1) or self.cut:
            return self._before if t < 0.5 else self._after
        layers = still_layers(t) if self.still else layers_at(self._vectors, t)
        peak = (1 << self._bits) - 1
        planes: list[NDArray[Any]] = []
        for group in self._groups:
            planes += compose(group, layers, peak=peak, sharp=not planes)
        return tuple(planes)

    @cached_property
    def _groups(self) -> tuple[PlaneGroup, ...]:
        """Planes of both pictures, grouped by size.

        Planes of one size share their places.
        """
        pairs, by = zip(self._before, self._after, strict=True), self._vectors.by
        height, width = self._before[0].shape
        groups = (tuple(zip(*group, strict=True)) for _, group in groupby(pairs, key=lambda pair: pair[0].shape[:2]))
        return tuple(
            PlaneGroup(before, after, (by / _subsampling(height, before[0].shape[0]), by / _subsampling(width, before[0].shape[1])))
            for before, after in groups
        )


def _subsampling(luma_side: int, plane_side: int) -> int:
    """Return a plane's subsampling along one side: 1, 2 or 4."""
    return next(by for by in (1, 2, 4) if -(-luma_side // by) == plane_side)
