"""Availability of presets on this server.

A preset needs its services and models.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from gateway.pipelines.check import check_steps
from gateway.pipelines.placeholders import PLACEHOLDER
from gateway.pipelines.presets.preset import Preset
from gateway.pipelines.presets.table import PRESETS
from gateway.pipelines.references import ids_in, map_ids, references, stand_in
from gateway.pipelines.steps import Step
from gateway.routing.upstream import Upstreams
from shared.errors import ReelwrightError
from shared.http.operations.check import PENDING
from shared.http.operations.description import OperationInfo

Declarations = Mapping[str, OperationInfo]
"""Operations by name, as `GET /operations` lists them."""


class PresetInputInfo(BaseModel):
    """An input of a preset."""

    kind: str = Field(description="Kind of media.")
    description: str
    optional: bool = Field(description="Whether the input is optional.")


class PresetInfo(BaseModel):
    """A named pipeline, and whether it can run on this server."""

    name: str = Field(description="URL name of the pipeline.")
    title: str = Field(description="What the pipeline does, in one line.")
    description: str
    inputs: dict[str, PresetInputInfo] = Field(description="Inputs of the pipeline by name. Each replaces `<name>` in the steps.")
    steps: list[dict[str, Any]] = Field(description="Steps of the pipeline, in the format of `POST /v1/pipelines/jobs`.")
    available: bool = Field(description="Whether all steps can run now, with all models they need.")
    missing: list[str] = Field(description="Operations that cannot run now.")
    reasons: list[str] = Field(description="Reason for each unavailable operation, with the command that installs what is missing.")
    urls: dict[str, str]


async def describe_presets(upstreams: Upstreams, *, headers: Mapping[str, str]) -> list[PresetInfo]:
    """Describe all presets, and say whether each can run."""
    declarations = await upstreams.operations(headers)
    return list(await asyncio.gather(*(describe_preset(upstreams, preset, declarations, headers=headers) for preset in PRESETS)))


async def describe_preset(upstreams: Upstreams, preset: Preset, declarations: Declarations, *, headers: Mapping[str, str]) -> PresetInfo:
    """Describe one preset, and say whether it can run.

    Each of its steps is checked by its service, with stand-ins for media and for results of other steps.
    """
    steps = [Step.model_validate(step) for step in preset.steps]
    reasons = await asyncio.gather(*(_reason(upstreams, preset, step, steps, declarations, headers=headers) for step in steps))
    base_url = f"/v1/pipelines/presets/{preset.name}"
    return PresetInfo(
        name=preset.name,
        title=preset.title,
        description=preset.description,
        inputs={
            name: PresetInputInfo(kind=about.kind, description=about.description, optional=about.optional)
            for name, about in preset.inputs.items()
        },
        steps=list(preset.steps),
        available=not any(reasons),
        missing=sorted({step.operation for step, reason in zip(steps, reasons, strict=True) if reason}),
        reasons=list(dict.fromkeys(filter(None, reasons))),
        urls={endpoint: f"{base_url}/{endpoint}" for endpoint in ("jobs", "check", "batch")},
    )


async def _reason(
    upstreams: Upstreams, preset: Preset, step: Step, steps: list[Step], declarations: Declarations, *, headers: Mapping[str, str]
) -> str | None:
    """Return the reason why `step`, one of the preset's `steps`, cannot run, or None."""
    operations = {earlier_step.id: declarations.get(earlier_step.operation) for earlier_step in steps}
    declaration = operations[step.id]
    if declaration is None:
        return f"No running service offers {step.operation}. Start its service."

    def stand_in_for(text: str) -> str:
        if match := PLACEHOLDER.fullmatch(text):
            return f"{PENDING}{preset.inputs[match[1]].kind}"
        source, _, output = text.rpartition(".")
        maker = operations.get(source)
        return f"{PENDING}{maker.outputs[output]}" if maker else text

    schema = declaration.params
    params = step.params | {name: stand_in(schema["properties"].get(name, {}), schema) for name in references(step.params)}
    inputs = {name: map_ids(source, stand_in_for) for name, source in step.inputs.items()}
    sources = {text.rpartition(".")[0] for text in _texts(step)}
    if any(operations[source] is None for source in sources if source in operations):
        return None  # a step that it builds on is missing, and says so itself
    try:
        stood_in = step.model_copy(update={"inputs": inputs, "params": params})
        await check_steps(upstreams, [stood_in], headers=headers, declarations=declarations)
    except ReelwrightError as refusal:
        return refusal.detail
    return None


def _texts(step: Step) -> list[str]:
    """Return the media ids, placeholders and references in a step's inputs."""
    return [text for source in step.inputs.values() for text in ids_in(source) if text]
