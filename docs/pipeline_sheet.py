"""Draw docs/pipeline.jpg: each step of the preset `studio-over-picture`.

`make pipeline-sheet`.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np

from benchmarks.material.clips import sample_clip
from benchmarks.material.drawn_scene import evening
from docs.matting_sheet import SIZE, Picture, labelled
from gateway.pipelines.cli.local_run import check_locally, run_steps
from gateway.pipelines.placeholders import filled
from gateway.pipelines.presets.library.studio_over_picture import STUDIO_OVER_PICTURE
from gateway.pipelines.presets.requests import with_params
from reelwright import ROOMS
from shared.settings import Settings, use
from shared.video import read_frames

SHEET = Path(__file__).parent / "pipeline.jpg"
FRAMES = (14, 40, 62, 80)
PARAMS = {"trails": {"layers": 6, "decay": 0.75, "spacing": 3}}
ROWS = (("the clip", "working.video"), ("matte", "matte.alpha"), ("studio", "studio.video"), ("trails", "trails.video"))


def main() -> None:
    """Run the preset; draw one row for the clip and one for each step."""
    settings = Settings()
    use(settings)
    services = [room.service for room in ROOMS]
    operations = {operation.name: operation for service in services for operation in service.operations}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cv2.imwrite(str(folder / "scene.png"), evening())
        files = {"video": str(sample_clip("carphone_pristine.mp4")), "background": str(folder / "scene.png")}
        steps = check_locally(filled(with_params(STUDIO_OVER_PICTURE, PARAMS), files), services, settings)
        for _ in run_steps(steps, operations, folder, lambda _number, _step: None):
            pass
        strips = [np.hstack([labelled(rgb, title, SIZE) for rgb in chosen(folder / f"{output}.mp4")]) for title, output in ROWS]
    cv2.imwrite(str(SHEET), cv2.cvtColor(np.vstack(strips), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])


def chosen(path: Path) -> list[Picture]:
    """Return the frames of a clip that the sheet shows."""
    with read_frames(path) as frames:
        return [frame.rgb() for frame in frames if frame.index in FRAMES]


if __name__ == "__main__":
    main()
