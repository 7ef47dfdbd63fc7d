"""Pydantic models of pipelines: step, request and checked steps."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from shared.jobs import JobEnvelope, StepProgress
from shared.jobs.record import InputValue, UrlInput
from shared.sample_ids import SAMPLE_ID

EXAMPLE: JsonDict = {
    "steps": [{"id": "ramp", "operation": "speed-ramp.render", "inputs": {"video": SAMPLE_ID}, "params": {"max_speed": 3}}]
}


class Step(BaseModel):
    """One step of a pipeline: an operation with inputs and params."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="Name of the step. Later steps refer to it.")
    operation: str = Field(description="Name of the operation.", examples=["speed-ramp.render"])
    inputs: dict[str, InputValue] = Field({}, description="Media ids or URLs, or `step.output` for an output of an earlier step.")
    params: dict[str, Any] = Field(
        {}, description='Params of the operation. `{"from": "step.field"}` takes the value from the result of an earlier step.'
    )

    @property
    def service(self) -> str:
        """Name of the service: the part of `operation` before the dot."""
        return self.operation.partition(".")[0]

    @property
    def verb(self) -> str:
        """Name of the operation within its service: the part after the dot."""
        return self.operation.partition(".")[2]


class PipelineRequest(JobEnvelope):
    """Body of `POST /v1/pipelines/jobs`."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    inputs: dict[str, str | UrlInput | list[str | UrlInput]] = Field(
        {}, description="Media ids or URLs for placeholders: `<name>` as an input of a step; `<name?>` may be left out."
    )
    steps: list[Step] = Field(
        min_length=1,
        max_length=64,
        description="Steps of the pipeline. A step may use outputs and results of earlier steps; independent steps run in parallel.",
    )


class PipelineChecked(BaseModel):
    """A pipeline that passed the check, with default params filled in."""

    steps: list[Step]


class PipelineParams(BaseModel):
    """Params of a pipeline's job, as the queue stores them.

    `reused`: step id -> finished job of an earlier attempt. `trace`: headers that connect the jobs of the steps with the request.
    """

    steps: list[Step]
    reused: dict[str, str] = Field(default_factory=dict)
    trace: dict[str, str] = Field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """Return the params as JSON, without empty params."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value}


class StepResult(StepProgress):
    """A step in the result of a pipeline: progress and outcome."""

    result: Any = None
    metrics: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, Any] | None = None


class PipelineResult(BaseModel):
    """The result of a pipeline, as its job stores it."""

    steps: list[StepResult]
