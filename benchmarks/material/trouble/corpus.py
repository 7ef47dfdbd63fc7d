"""Small clips that mislead shot detection, with known shots.

Each kind of `KINDS` was reported by people who cut video: punch-in cuts, blank frames between shots, captions that pop in, flashes at 60
fps and more. A seed makes one clip per kind. Seeds below 1000 are for tuning; nothing is fitted to the seeds from 5001 on.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np

from benchmarks.material.keyframe_corpus import HEIGHT, WIDTH, Film, Random
from benchmarks.material.trouble.cuts import every_frame, intercuts, jumps, punch_in
from benchmarks.material.trouble.graphics import captions, inner_window, overlays, plain_ramps, slides
from benchmarks.material.trouble.light import black_and_fade, blank_frames, exposure, flash_cuts, flashes, long_black
from benchmarks.material.trouble.takes import TroubleClip

FIRST_TEST_SEED = 5001
"""First seed for tests. No detector is tuned on their clips."""

KINDS: Mapping[str, Callable[[Random], TroubleClip]] = {
    kind.__name__.replace("_", " "): kind
    for kind in (
        punch_in,
        blank_frames,
        plain_ramps,
        overlays,
        captions,
        flashes,
        intercuts,
        every_frame,
        flash_cuts,
        black_and_fade,
        long_black,
        exposure,
        inner_window,
        slides,
        jumps,
    )
}


def trouble(path: Path, *, kind: str, seed: int) -> Film:
    """Write the clip that a trouble kind and a seed determine.

    The clip is 320x180, H.264 in MP4.
    """
    random = np.random.default_rng([seed, list(KINDS).index(kind)])
    clip = KINDS[kind](random)
    options = {
        "crf": str(random.integers(17, 27)),
        "preset": str(random.choice(["veryfast", "medium"])),
        "g": str(random.choice([50, 250])),
        "bf": str(random.choice([0, 2, 3])),
        "threads": "2",
    }
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=clip.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in clip.pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    return Film(path, kind, len(clip.pictures), clip.truths)
