"""Draw `docs/trails.jpg`: motion trails and strobe on real clips, before and after. `make contact-sheet`.

The first column shows the clip, the second the former appearance of each style, and the third its present default. The former styles were:
`normal` of whole pictures, a weaker glow, and a shadow of pure black. The rows of strobe show the clip, the video and the picture.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.clips import sample_clip
from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.effects.strobe import StrobeParams, strobe
from services.effects.trails import ghost_styles
from shared.video import read_frames

SHEET = Path(__file__).parent / "trails.jpg"
FORMER = {"_GLOW": 0.6, "_HALO": 0.8, "_SMOKE": 0.0}
"""Strengths of glow, bloom and smoke before an echo became the default."""
CELL = (560, 238)
"""Width and height of a picture in the sheet."""
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A part of a clip.

    `start`, `duration`: in seconds. `frame`: number of the frame to draw.
    """

    clip: str
    start: float
    duration: float
    frame: int


LORRY = Shot(clip="bikes.mp4", start=0.0, duration=1.2, frame=18)
WALKERS = Shot(clip="bikes.mp4", start=7.48, duration=2.2, frame=17)
TRAILS: tuple[tuple[str, Shot, dict[str, Any], dict[str, Any]], ...] = (
    ("echo", WALKERS, {"mask": False}, {}),
    ("echo", LORRY, {"mask": False}, {}),
    ("shadow", WALKERS, {"ghost": "shadow"}, {"ghost": "shadow"}),
    ("shadow", LORRY, {"ghost": "shadow"}, {"ghost": "shadow"}),
    ("glow", WALKERS, {"ghost": "glow"}, {"ghost": "glow"}),
    ("glow", LORRY, {"ghost": "glow"}, {"ghost": "glow"}),
)
"""Rows of the sheet.

Name, shot, and params of the former and of the present style.
"""


def main() -> None:
    """Draw all rows of the sheet, and write the sheet."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [np.hstack(list(cells)) for cells in drawn(Path(folder))]
    cv2.imwrite(str(SHEET), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])


def drawn(folder: Path) -> Iterator[list[Picture]]:
    """Yield the three pictures of each row."""
    for name, shot, former, present in TRAILS:
        with patch.multiple(ghost_styles, **FORMER):
            before = trails(shot, former, folder / "before.mp4")
        after = trails(shot, present, folder / "after.mp4")
        yield [labelled(original(shot), "clip"), labelled(before, f"{name}, before"), labelled(after, f"{name}, now")]
    for shot in (LORRY, WALKERS):
        video, picture = stamps(shot, folder)
        yield [labelled(original(shot), "clip"), labelled(video, "strobe, video"), labelled(picture, "strobe, picture")]


def original(shot: Shot) -> Picture:
    """Return the frame `shot.frame` of a shot without an effect."""
    with read_frames(sample_clip(shot.clip), start=shot.start) as frames:
        return fitted(next(frame for frame in frames if frame.index == shot.frame).rgb())


def trails(shot: Shot, params: dict[str, Any], output: Path) -> Picture:
    """Return the frame `shot.frame` of a shot with trails."""
    complete = MotionTrailsParams.model_validate({"start": shot.start, "duration": shot.duration, "quality": 90} | params)
    motion_trails(complete, video=sample_clip(shot.clip), matte=None, output=output)
    return fitted(frame_of(output, shot.frame))


def stamps(shot: Shot, folder: Path) -> tuple[Picture, Picture]:
    """Return the last frame of a shot's strobe video, and its picture."""
    outputs = {"video": folder / "strobe.mp4", "picture": folder / "strobe.png"}
    params = StrobeParams(start=shot.start, duration=shot.duration, interval=0.4, quality=90)
    frames = strobe(params, video=sample_clip(shot.clip), matte=None, outputs=outputs).frames
    picture = np.asarray(cv2.imread(str(outputs["picture"]), cv2.IMREAD_COLOR_RGB), np.uint8)
    return fitted(frame_of(outputs["video"], frames - 1)), fitted(picture)


def frame_of(path: Path, number: int) -> Picture:
    """Return a frame of a video by its number."""
    with read_frames(path) as frames:
        return next(frame for frame in frames if frame.index == number).rgb()


def fitted(picture: Picture) -> Picture:
    """Shrink a picture to fit a cell, on gray."""
    height, width = picture.shape[:2]
    scale = min(CELL[0] / width, CELL[1] / height)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    cell = np.full((CELL[1], CELL[0], 3), 60, np.uint8)
    top, left = (CELL[1] - small.shape[0]) // 2, (CELL[0] - small.shape[1]) // 2
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell


def labelled(rgb: Picture, name: str) -> Picture:
    """Write `name` into the lower left corner of a picture."""
    picture = np.ascontiguousarray(rgb)
    width, _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)[0]
    picture[-24:, : width + 14] = 0
    cv2.putText(picture, name, (7, CELL[1] - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


if __name__ == "__main__":
    main()
