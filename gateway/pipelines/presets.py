"""Pipelines with a name. Put your media ids where `<...>` stands."""

from collections.abc import Set
from typing import Any

from pydantic import BaseModel, Field


class Preset(BaseModel):
    """A named pipeline."""

    name: str
    title: str
    steps: list[dict[str, Any]] = Field(description="As `POST /v1/pipelines/jobs` takes them, with `<...>` for your media.")
    available: bool = Field(description="Whether every operation of it can run on this server.")
    missing: list[str] = Field(description="The operations that cannot.")


PRESETS: tuple[tuple[str, str, list[dict[str, Any]]], ...] = (
    (
        "dramatic-ramp",
        "Slow motion where the action is, time lapse where nothing happens",
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
        "The shots of a video, and the best frame of each",
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
        "Cut the subject out, put it into a generated studio, add motion trails",
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
    """All presets, told which of them these `operations` suffice for."""
    found = []
    for name, title, steps in PRESETS:
        missing = sorted({step["operation"] for step in steps} - operations)
        found.append(Preset(name=name, title=title, steps=steps, available=not missing, missing=missing))
    return found
