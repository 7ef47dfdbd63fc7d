"""Classes that declare a preset and its inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.operation import Kind


@dataclass(frozen=True, kw_only=True)
class PresetInput:
    """An input of a preset.

    The steps name it `<name>`, or `<name?>` if it is optional.
    """

    kind: Kind
    description: str
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A preset: a named pipeline, its inputs and its description.

    `steps`: as `POST /v1/pipelines/jobs` takes them, with placeholders for media.
    """

    name: str
    title: str
    description: str
    inputs: Mapping[str, PresetInput]
    steps: tuple[dict[str, Any], ...]


CLIP = PresetInput(kind=Kind.VIDEO, description="The clip.")
"""The input that every preset has."""


def step(name: str, operation: str, inputs: Mapping[str, str], **params: Any) -> dict[str, Any]:
    """Return a preset's step, in the format of a pipeline request."""
    return {"id": name, "operation": operation, "inputs": dict(inputs), "params": params}
