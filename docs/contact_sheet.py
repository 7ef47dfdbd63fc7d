"""Draw `docs/trails.jpg`: the styles of motion trails on a real clip. `make contact-sheet`."""

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.clips import sample_clip
from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.effects.strobe import StrobeParams, strobe
from shared.video import read_frames

SHEET = Path(__file__).parent / "trails.jpg"
# Start and length in seconds, and number of the frame drawn. Of bikes.mp4: a lorry from above, and people who walk by a drifting camera.
SHOTS = ((0.0, 1.2, 18), (7.48, 2.2, 17))
ROWS: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("the clip", None),
    ("echo, the default", {}),
    ("glow", {"ghost": "glow"}),
    ("shadow", {"ghost": "shadow"}),
    ("normal, whole pictures", {"ghost": "normal", "mask": False}),
    ("glow, ahead, tint #40c0ff", {"ghost": "glow", "direction": "ahead", "tint": "#40c0ff"}),
)
STROBE = "strobe, 0.4 s"
Picture = NDArray[np.uint8]


def main() -> None:
    """Draw all pictures of the sheet, and write the sheet."""
    clip = sample_clip("bikes.mp4")
    with tempfile.TemporaryDirectory() as folder:
        rows = [[cell(clip, Path(folder) / "made.mp4", name, params, shot) for shot in SHOTS] for name, params in ROWS]
        rows.append([stamped(clip, Path(folder), shot) for shot in SHOTS])
        cv2.imwrite(str(SHEET), np.vstack([np.hstack(row) for row in rows]), [cv2.IMWRITE_JPEG_QUALITY, 85])


def cell(clip: Path, output: Path, name: str, params: dict[str, Any] | None, shot: tuple[float, float, int]) -> Picture:
    """Return one frame of a shot, labelled `name`, with trails unless `params` is None.

    `shot`: its start and length in seconds, and the number of the frame.
    """
    start, duration, number = shot
    picture_source = clip
    if params is not None:
        trails = MotionTrailsParams.model_validate({"start": start, "duration": duration, "spacing": 4, "quality": 90} | params)
        motion_trails(trails, video=clip, matte=None, output=output)
        picture_source = output
    with read_frames(picture_source, start=start if params is None else None) as frames:
        return labelled(next(frame for frame in frames if frame.index == number).rgb(), name)


def stamped(clip: Path, folder: Path, shot: tuple[float, float, int]) -> Picture:
    """Return the strobe picture of a shot."""
    start, duration, _ = shot
    picture = folder / "made.png"
    params = StrobeParams(start=start, duration=duration, interval=0.4)
    strobe(params, video=clip, matte=None, outputs={"video": folder / "made.mp4", "picture": picture})
    scene = cv2.imread(str(picture), cv2.IMREAD_COLOR_RGB)
    return labelled(scene[:272, :640], STROBE)


def labelled(rgb: Picture, name: str) -> Picture:
    """Scale a picture to 480x204 and label a corner with `name`.

    The result is BGR.
    """
    small = cv2.cvtColor(cv2.resize(rgb, (480, 204), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    for color, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(small, name, (8, 194), cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, thickness, cv2.LINE_AA)
    return small


if __name__ == "__main__":
    main()
