"""Placeholders for media in the steps of a pipeline.

They are written `<name>`, or `<name?>` for an input that may be left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from gateway.pipelines.references import ids_in
from gateway.pipelines.steps import PipelineRequest, Step
from shared.errors import Invalid
from shared.jobs.record import InputValue, UrlInput

PLACEHOLDER = re.compile(r"<([A-Za-z][A-Za-z0-9_-]{0,63})(\??)>")

Given = str | UrlInput | list[str | UrlInput]
"""A media id or URL, or several."""


def placeholders(steps: Iterable[Step]) -> dict[str, bool]:
    """Return each placeholder's name and whether it is optional, in order of appearance."""
    names: dict[str, bool] = {}
    for step in steps:
        for source in step.inputs.values():
            for text in ids_in(source):
                if match := PLACEHOLDER.fullmatch(text):
                    names[match[1]] = bool(match[2]) and names.get(match[1], True)
    return names


def filled(steps: Sequence[Step], inputs: Mapping[str, Given]) -> list[Step]:
    """Return the steps with each placeholder replaced by its media in `inputs`.

    The input of an optional placeholder that is not given is left out. Raises Invalid for a name that no step uses, and for a
    placeholder without media.
    """
    names = placeholders(steps)
    if unknown := [name for name in inputs if name not in names]:
        hint = f"Inputs: {', '.join(names)}" if names else "The steps have no placeholders"
        raise _refused(f"inputs.{unknown[0]}", f"no step takes an input {unknown[0]!r}. {hint}")
    missing = [name for name, optional in names.items() if not optional and not inputs.get(name)]
    if missing:
        raise _refused(f"inputs.{missing[0]}", f"{', '.join(missing)} must be given")
    return [step.model_copy(update={"inputs": _with_media(step.inputs, inputs)}) for step in steps]


def with_media(request: PipelineRequest) -> PipelineRequest:
    """Return a pipeline with its placeholders replaced by its `inputs`.

    Raises what `filled` raises.
    """
    return request.model_copy(update={"steps": filled(request.steps, request.inputs), "inputs": {}})


def _with_media(sources: Mapping[str, InputValue], inputs: Mapping[str, Given]) -> dict[str, InputValue]:
    media = {name: _replaced(source, inputs) for name, source in sources.items()}
    return {name: source for name, source in media.items() if source is not None or sources[name] is None}


def _replaced(source: InputValue, inputs: Mapping[str, Given]) -> InputValue:
    """Return the input `source` with its placeholders replaced by media from `inputs`.

    None if its placeholders are optional and not given.
    """
    if isinstance(source, list):
        media = [_replaced(text, inputs) for text in source]
        return [media_id for item in media if item is not None for media_id in (item if isinstance(item, list) else [item])] or None
    match = PLACEHOLDER.fullmatch(source) if isinstance(source, str) else None
    return inputs.get(match[1]) if match else source


def _refused(field: str, detail: str) -> Invalid:
    return Invalid.field(field, detail)
