"""Named pipelines.

`<...>` in a step is a placeholder for a media id of the user.
"""

from collections.abc import Set
from typing import Any

from pydantic import BaseModel, Field


class Preset(BaseModel):
    """A named pipeline and whether it can run on this server."""

    name: str = Field(description="URL name of the pipeline.")
    title: str = Field(description="What the pipeline does, in one line.")
    steps: list[dict[str, Any]] = Field(description="Steps for `POST /v1/pipelines/jobs`. Replace `<...>` by your media ids.")
    available: bool = Field(description="Whether this server can run all of its operations.")
    missing: list[str] = Field(description="Operations that this server cannot run.")


PRESETS: tuple[tuple[str, str, list[dict[str, Any]]], ...] = (
    (
        "dramatic-ramp",
        "Slow motion for action, time lapse for stillness",
        [
            {
                "id": "ramp",
                "operation": "speed-ramp.render",
                "inputs": {"video": "<video>"},
                "params": {"min_speed": 0.3, "max_speed": 4.0, "smoothing": 1.0},
            }
        ],
    ),
    (
        "best-frame-of-each-shot",
        "Find the shots of a video and the best frame of each",
        [
            {"id": "shots", "operation": "keyframes.detect", "inputs": {"video": "<video>"}, "params": {}},
            {
                "id": "best",
                "operation": "aesthetics.best-frames",
                "inputs": {"video": "<video>"},
                "params": {"group_by": "shot", "shots": {"from": "shots.videos"}},
            },
        ],
    ),
    (
        "matte-studio-trails",
        "Cut the subject out, place it in a generated studio, add motion trails",
        [
            {"id": "matte", "operation": "matting.matte", "inputs": {"video": "<video>"}, "params": {}},
            {
                "id": "studio",
                "operation": "background.studio",
                "inputs": {"video": "<video>", "alpha": "matte.alpha"},
                "params": {"prompt": "dark room with glass windows looking into deep space"},
            },
            {
                "id": "trails",
                "operation": "effects.motion-trails",
                "inputs": {"video": "studio.video", "matte": "matte.alpha"},
                "params": {"ghost": "normal", "layers": 4, "decay": 0.5, "spacing": 4},
            },
        ],
    ),
)


def presets(operations: Set[str]) -> list[Preset]:
    """Return all presets.

    `operations`: names of the operations that this server can run.
    """
    listed = []
    for name, title, steps in PRESETS:
        missing = sorted({step["operation"] for step in steps} - operations)
        listed.append(Preset(name=name, title=title, steps=steps, available=not missing, missing=missing))
    return listed
