"""Requests that name a preset, and their conversion to pipelines."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from gateway.pipelines.placeholders import filled, placeholders
from gateway.pipelines.presets.preset import Preset
from gateway.pipelines.steps import PipelineRequest, Step
from gateway.routing.upstream import Refused, changed
from shared.errors import FieldError, Invalid
from shared.http.operations.batch import MOST_JOBS
from shared.jobs import JobEnvelope
from shared.jobs.record import UrlInput

_OF_STEP = re.compile(r"steps\.(\d+)\.(inputs|params)\.([^.]+)(.*)")


class PresetRequest(JobEnvelope):
    """Body of `POST /v1/pipelines/presets/{name}/jobs`."""

    inputs: dict[str, str | UrlInput | list[str | UrlInput]] = Field(
        description="Input of the preset -> media id or URL. In a batch, lists are allowed too."
    )
    params: dict[str, dict[str, Any]] = Field(
        {}, description='Step of the preset -> params that replace those of the preset, such as `{"trails": {"layers": 6}}`.'
    )


def pipeline_of(preset: Preset, request: PresetRequest) -> PipelineRequest:
    """Return the pipeline that a request for a preset describes.

    Raises Invalid for unknown or missing inputs, and for unknown steps.
    """
    if unknown := [name for name in request.inputs if name not in preset.inputs]:
        raise _refused(f"inputs.{unknown[0]}", f"{preset.name} has no input {unknown[0]!r}. Inputs: {', '.join(preset.inputs)}")
    if missing := [name for name, about in preset.inputs.items() if not about.optional and not request.inputs.get(name)]:
        errors = [FieldError(field=f"inputs.{name}", detail=preset.inputs[name].description) for name in missing]
        raise Invalid(f"inputs: {preset.name} needs {' and '.join(missing)}.", errors=errors)
    return filled_pipeline(preset.name, [Step.model_validate(step) for step in preset.steps], request)


def filled_pipeline(pipeline: str, steps: Sequence[Step], request: PresetRequest) -> PipelineRequest:
    """Return the pipeline of `steps`, filled with the params and inputs of a request.

    `pipeline`: its name, for errors. Raises Invalid for unknown or missing inputs, and for unknown steps.
    """
    options = {name: getattr(request, name) for name in JobEnvelope.model_fields}
    return PipelineRequest(steps=filled(with_params(pipeline, steps, request.params), request.inputs), **options)


def with_params(pipeline: str, steps: Sequence[Step], params: Mapping[str, Mapping[str, Any]]) -> list[Step]:
    """Return the steps with params changed as in `params`, {step id: {param: value}}.

    `pipeline`: its name, for errors. Raises Invalid for an unknown step.
    """
    names = [step.id for step in steps]
    if unknown := [name for name in params if name not in names]:
        raise _refused(f"params.{unknown[0]}", f"{pipeline} has no step {unknown[0]!r}. Steps: {', '.join(names)}")
    return [step.model_copy(update={"params": step.params | dict(params.get(step.id, {}))}) for step in steps]


def batch_of(preset: Preset, request: PresetRequest) -> list[PipelineRequest]:
    """Return one pipeline of `preset` for each clip of a batch request.

    An input that is a list gives one item to each pipeline; any other goes to all. The metadata of each pipeline has `batch`, with an id
    that follows from the request, so that repeated requests are equal. Raises Invalid unless there is a list, and all lists have the same
    length.
    """
    lengths = {name: len(source) for name, source in request.inputs.items() if isinstance(source, list)}
    if not lengths:
        raise _refused("inputs", "a batch needs a list of media ids for at least one input")
    count = next(iter(lengths.values()))
    if set(lengths.values()) != {count} or not 1 <= count <= MOST_JOBS:
        sizes = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise _refused("inputs", f"all lists must have the same length, from 1 to {MOST_JOBS}: {sizes}")
    digest = hashlib.sha256(f"{preset.name} {request.model_dump_json()}".encode()).hexdigest()[:16]
    requests = []
    for number in range(count):
        inputs = {name: source[number] if isinstance(source, list) else source for name, source in request.inputs.items()}
        metadata = request.metadata | {"batch": {"id": digest, "number": number + 1, "of": count}}
        requests.append(pipeline_of(preset, request.model_copy(update={"inputs": inputs, "metadata": metadata})))
    return requests


def in_words_of_preset(refusal: Refused, preset: Preset) -> Refused:
    """Return `refusal` with its fields named as in a request for the preset.

    `refusal` names the fields of steps; the request has `params.<step>.<param>` and `inputs.<name>`.
    """
    steps = [Step.model_validate(step) for step in preset.steps]
    errors = [{**error, "field": _field(error["field"], steps)} for error in refusal.problem().get("errors", [])]
    return changed(refusal, detail=refusal.detail, errors=errors)


def _field(field: str, steps: list[Step]) -> str:
    match = _OF_STEP.fullmatch(field)
    if match is None:
        return field
    number, kind, name, rest = match.groups()
    step = steps[int(number)]
    if kind == "params":
        return f"params.{step.id}.{name}{rest}"
    named = list(placeholders([step.model_copy(update={"inputs": {name: step.inputs.get(name)}})]))
    return f"inputs.{named[0]}" if named else field


def _refused(field: str, detail: str) -> Invalid:
    return Invalid.field(field, detail)
