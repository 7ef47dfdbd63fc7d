"""Draw docs/composite.jpg: a clip over a drawn scene, plain and with every step. `make composite-sheet`, after `make test-models`."""

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import sample_clip
from docs.matting_sheet import labelled
from services.background.composite import CompositeParams, composite
from services.matting.matte import MatteParams, matte
from shared.settings import Settings, use
from shared.video import read_frames

SHEET = Path(__file__).parent / "composite.jpg"
FRAMES = (2, 60, 110)
LOOKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("plain cut", {"decontaminate": False, "light_wrap": 0, "match": 0, "grain": False}),
    ("composite, defaults", {}),
)
Picture = NDArray[np.uint8]


def main() -> None:
    """Make the sheet: a row for the clip, and one for each look."""
    use(Settings())
    clip = sample_clip("carphone_pristine.mp4")
    rows = [("the clip", clip)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {output: folder / f"{output}.mp4" for output in ("alpha", "composite", "foreground")}
        matte(MatteParams(backend="rvm", quality=95), video=clip, mask=None, masks=None, plate=None, background=None, outputs=files)
        scene = folder / "scene.png"
        cv2.imwrite(str(scene), evening())
        for title, look in LOOKS:
            target = folder / f"{title}.mp4"
            params = CompositeParams(quality=95, **look)
            composite(params, video=clip, alpha=files["alpha"], background=scene, plate=None, output=target)
            rows.append((title, target))
        drawn = [np.hstack([labelled(rgb, title) for rgb in chosen(path)]) for title, path in rows]
    cv2.imwrite(str(SHEET), cv2.cvtColor(np.vstack(drawn), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])


def evening() -> Picture:
    """Draw an evening scene, (h, w, 3) uint8 in OpenCV's order: a sky that glows, hills, lights."""
    height, width = 576, 704
    down = np.linspace(0, 1, height)[:, None, None]
    sky = np.array([150, 90, 60]) * (1 - down) + np.array([90, 150, 250]) * down
    picture = np.repeat(sky, width, axis=1)
    across = np.arange(width)
    for number, (level, color) in enumerate(((0.62, (95, 70, 70)), (0.74, (60, 45, 45)), (0.86, (35, 28, 30)))):
        ridge = height * (level + 0.05 * np.sin(across / (60 + 40 * number) + number))
        picture[np.arange(height)[:, None] > ridge[None]] = color
    random = np.random.default_rng(4)
    for _ in range(40):
        place = int(random.integers(0, width)), int(height * random.uniform(0.78, 0.98))
        cv2.circle(picture, place, int(random.integers(2, 6)), (120, 210, 255), -1)
    return np.clip(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 2.2), 0, 255).astype(np.uint8)


def chosen(path: Path) -> list[Picture]:
    """Return the frames shown on the sheet."""
    with read_frames(path) as frames:
        return [frame.rgb() for frame in frames if frame.index in FRAMES]


if __name__ == "__main__":
    main()
