"""Request and response models of an operation, made from its declaration."""
# No `from __future__ import annotations` here: FastAPI must see the models that are made at run time.

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from shared.jobs import Job, JobRequest, OperationEnvelope
from shared.jobs.record import InputValue, UrlInput
from shared.operation import AUTO, Input, Operation
from shared.sample_ids import SAMPLES


def request_model(operation: Operation) -> type[BaseModel]:
    """Create the request model of an operation.

    It is a JobRequest with typed inputs and params.
    """
    inputs = create_model(
        f"{_camel(operation.name)}Inputs",
        __config__=ConfigDict(extra="forbid"),
        **{name: _input_field(port) for name, port in operation.ports.items()},
    )
    needed = any(field.is_required() for field in operation.params.model_fields.values())
    params = (operation.params, ...) if needed else (operation.params, Field(default_factory=operation.params))
    return create_model(f"{_camel(operation.name)}Request", __base__=OperationEnvelope, inputs=(inputs, ...), params=params)


def job_model(operation: Operation) -> type[Job]:
    """Create the job model of an operation, with a typed result.

    The API pages show it.
    """
    result: Any = (operation.result | None, Field(None, description="Result of the operation; null until the job has succeeded."))
    return create_model(f"{_camel(operation.name)}Job", __base__=Job, result=result)


def inputs_of(body: Any) -> dict[str, InputValue]:
    """Return the inputs of a typed request body by name."""
    return {name: getattr(body.inputs, name) for name in type(body.inputs).model_fields}


def plain_request(body: Any) -> JobRequest:
    """Convert a typed request body to the JobRequest that is stored."""
    options = {name: getattr(body, name) for name in OperationEnvelope.model_fields}
    return JobRequest.model_construct(inputs=inputs_of(body), params={}, **options)


def _input_field(port: Input) -> Any:
    ids = Annotated[list[str | UrlInput], Field(min_length=1, max_length=port.max_items)]
    kind: Any = (str | UrlInput | ids) if port.many else (str | UrlInput)
    description = (
        f"{port.description} Media id or URL (kind: {' or '.join(port.kinds)}){', or a list of them' if port.many else ''}.".strip()
    )
    description += f" `{AUTO}`: the gateway makes it first, by {port.auto.rpartition('.')[0]}." if port.auto else ""
    if port.auto_if:
        description += f" Unasked if {' and '.join(f'`{name}` is `{value}`' for name, value in port.auto_if.items())} and it can be made."
    if port.optional:
        return (kind | None, Field(None, description=description))
    return (kind, Field(description=description, examples=[SAMPLES[port.sample]]))


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"\W", name))
