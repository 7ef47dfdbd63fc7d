"""Descriptions of operations for clients, as `GET /operations` lists them."""

from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter

from shared.operation import SUFFIXES, Input, Operation, Service
from shared.sample_ids import SAMPLES


class ParamsPreset(BaseModel):
    """Named params of an operation."""

    name: str
    title: str
    sentence: str = Field(description="Description of the result, in one sentence.")
    params: dict[str, Any] = Field(description="Params that differ from the defaults.")
    install: str | None = Field(None, description="If the preset cannot run now: the command that installs what is missing.")


class ToolGroupInfo(BaseModel):
    """Heading of a service's tools in the studio."""

    title: str
    icon: str
    place: int = Field(description="Place in the studio's list of tools, from 1.")


class LookInfo(BaseModel):
    """Card that suggests an operation on the studio's first screens."""

    title: str
    icon: str
    place: int = Field(description="Place among the studio's first cards, from 1.")
    sentence: str = Field(description="Description of the result; empty: the preset's.")
    of_people: bool = Field(description="Whether the look needs a person in the clip.")
    pipeline: str = Field(description="A named pipeline that must be able to run; empty: none.")


class InputInfo(BaseModel):
    """Description of an input of an operation."""

    title: str
    description: str
    kind: str = Field(description="Kind of media.")
    kinds: list[str] = Field(description="All accepted kinds.")
    optional: bool
    many: bool = Field(description="Whether the input takes several media.")
    role: str | None = Field(
        None,
        description="What the input shows: `matte` (a gray video of the subject), `plate` (the scene without the subject), `mask` "
        "(drawn on a frame) or `backdrop` (what is behind the subject).",
    )
    sets: dict[str, str] | None = Field(None, description="Params that a form sets when the user draws this mask.")
    auto: str | None = Field(None, description='If the input may be "auto": the output of another operation that is used.')
    auto_if: dict[str, str] | None = Field(
        None, description="Params with which the server makes the input if a request leaves it out, provided that the operation can run."
    )


class OperationInfo(BaseModel):
    """Description of an operation, from which clients build their forms."""

    name: str
    service: str
    version: int = Field(description="Version number; grows whenever the results of the operation change.")
    title: str = Field(description="Label of two or three words.")
    summary: str
    inputs: dict[str, InputInfo]
    needs: list[str] = Field(description="At least one of these optional inputs must be given.")
    outputs: dict[str, str] = Field(description="Name -> kind.")
    suffixes: dict[str, str] = Field(description="Name of an output -> suffix of its file, such as `.mp4`.")
    output_roles: dict[str, str] = Field(
        description="Name -> role of the outputs that show a `matte`, a `mask`, a `backdrop` (what is behind the subject) or its `depth`."
    )
    params: dict[str, Any] = Field(description="JSON Schema of the parameters.")
    result: dict[str, Any] = Field(description="JSON Schema of the result.")
    role: str | None = Field(
        None,
        description="What the operation does for the studio's editors: `motion_analysis`, `ramp_plan`, `ramp_export` (timelines of a ramp) "
        "or `click_mask`.",
    )
    is_tool: bool = Field(description="Whether the operation is a tool for users. Viewers and editors run the others.")
    tools: ToolGroupInfo | None = Field(None, description="Heading of the service's tools.")
    look: LookInfo | None = Field(None, description="Card with which the studio offers the operation first for a clip.")
    presets: list[ParamsPreset] = Field(description="Named params, in the order of their cards.")
    preview: str | None = Field(
        None,
        description="What a preview reads: the `part` that `start` and `duration` select, a part that is `cut` out, or the `whole` clip. "
        "Missing: the operation takes no video.",
    )
    example: dict[str, Any] = Field(description="A request body for `jobs` that runs unchanged.")
    available: bool = Field(description="Whether the operation can run now.")
    install: str | None = Field(None, description="If the operation cannot run: the command that installs what is missing.")
    urls: dict[str, str]


OPERATION_LIST = TypeAdapter(list[OperationInfo])
"""The answer of `GET /operations`."""


def describe(operation: Operation, service: Service | None = None) -> OperationInfo:
    """Build the description of an operation for `GET /operations`."""
    install = operation.unavailable(operation.example)
    base_url = f"/v1/{operation.service}/{operation.verb}"
    return OperationInfo(
        name=operation.name,
        service=operation.service,
        version=operation.version,
        title=operation.title or operation.verb.replace("-", " ").capitalize(),
        summary=operation.summary,
        inputs={name: _describe_input(name, port) for name, port in operation.ports.items()},
        needs=list(operation.needs),
        outputs={name: str(kind) for name, kind in operation.outputs.items()},
        suffixes={name: SUFFIXES[kind] for name, kind in operation.outputs.items()},
        output_roles=dict(operation.output_roles),
        role=operation.role,
        is_tool=operation.is_tool,
        tools=ToolGroupInfo(**asdict(service.tools)) if service and service.tools else None,
        look=LookInfo(**asdict(operation.look)) if operation.look else None,
        params=_schema(operation.params),
        result=_schema(operation.result),
        presets=[
            ParamsPreset(
                name=preset.name,
                title=preset.title,
                sentence=preset.sentence,
                params=preset.params.model_dump(mode="json", exclude_defaults=True),
                install=operation.unavailable(preset.params),
            )
            for preset in operation.presets
        ],
        preview=operation.preview_kind,
        example=example_body(operation),
        available=install is None,
        install=install,
        urls={"jobs": f"{base_url}/jobs", "check": f"{base_url}/check"},
    )


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model.

    The schema is shared: treat it as read-only.
    """
    return model.model_json_schema()


def _describe_input(name: str, port: Input) -> InputInfo:
    return InputInfo(
        title=port.title or name.replace("_", " ").capitalize(),
        description=port.description,
        kind=port.kind,
        kinds=list(port.kinds),
        optional=port.optional,
        many=port.many,
        role=port.role,
        sets=dict(port.sets) or None,
        auto=port.auto or None,
        auto_if=dict(port.auto_if) or None,
    )


def example_body(operation: Operation) -> dict[str, Any]:
    """Return an example request body that runs unchanged.

    The body has sample media and the example params.
    """
    inputs = {name: SAMPLES[port.sample] for name, port in operation.example_inputs.items()}
    return {"inputs": inputs, "params": operation.example.model_dump(mode="json", exclude_defaults=True)}
