"""What is asked of a job, and what the API says about it."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, computed_field, field_validator

from shared.media.record import MediaRecord

MAX_METADATA_BYTES = 64 * 1024
PRIORITIES = {"high": 10, "normal": 50, "low": 90}
"""Rank in the queue: smaller is sooner (DBOS takes 0 for the highest)."""


class Status(StrEnum):
    """Where a job is: queued, then running, then one of the other three, where it stays."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        """Whether the job will never change again."""
        return self in (Status.SUCCEEDED, Status.FAILED, Status.CANCELED)


class Webhook(BaseModel):
    """Where to tell about the end of a job, signed as Standard Webhooks asks."""

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl = Field(description="An http(s) address. The same address rules hold as for fetching URLs.")
    secret: SecretStr | None = Field(None, description="Signing secret, `whsec_` and base64; empty: the server's own.")
    events: tuple[Literal["succeeded", "failed", "canceled"], ...] = Field(
        ("succeeded", "failed", "canceled"), description="The ends that are told."
    )


class JobEnvelope(BaseModel):
    """What every request for a job may have beside its inputs and params."""

    model_config = ConfigDict(extra="forbid")

    webhook: Webhook | None = None
    metadata: dict[str, Any] = Field({}, description="Anything of yours; it comes back with the job.")
    priority: Literal["high", "normal", "low"] = Field("normal", description="Rank in the queue.")

    @field_validator("metadata")
    @classmethod
    def _small(cls, metadata: dict[str, Any]) -> dict[str, Any]:
        length = len(json.dumps(metadata, allow_nan=False))  # a number that is out of range came out as infinite
        if length > MAX_METADATA_BYTES:
            raise ValueError(f"{length} bytes of JSON are more than the {MAX_METADATA_BYTES} that are kept with a job")
        return metadata


class JobRequest(JobEnvelope):
    """The body of `POST /{operation}/jobs`."""

    inputs: dict[str, str | list[str] | None] = Field(
        {}, description="Input name -> media id, or a list of ids where the input takes many."
    )
    params: dict[str, Any] = Field({}, description="Parameters; what is left out takes its default.")


class JobProgress(BaseModel):
    """How far a job is."""

    stage: str = Field(description="What is being done.", examples=["rendering"])
    done: float = Field(description="Frames (or other units) of this stage that are finished.")
    total: float
    fraction: float = Field(ge=0, le=1, description="Of the whole job.")
    fps: float | None = Field(None, description="Units of this stage a second.")
    eta_s: float | None = Field(None, description="Seconds that this stage will still take.")


class JobUrls(BaseModel):
    """Where a job is found, relative to the server."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    self_: str = Field(alias="self")
    events: str
    cancel: str


class Job(BaseModel):
    """One piece of work."""

    id: str = Field(examples=["01j8zq3v4x5k6m7n8p9q0r1s2t"])
    service: str = Field(examples=["speed-ramp"])
    operation: str = Field(examples=["speed-ramp.render"])
    version: int | None = Field(None, description="Version of the operation, which grows whenever its results change; null for pipelines.")
    status: Status
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = Field(None, description="When an ended job is forgotten.")
    queue_position: int | None = Field(None, description="1 is the next to start; null once it has.")
    priority: str = "normal"
    inputs: dict[str, str | list[str] | None] = {}
    params: dict[str, Any] = Field({}, description="All parameters, the defaults filled in.")
    progress: JobProgress | None = None
    outputs: dict[str, MediaRecord] = {}
    result: Any = Field(None, description="The operation's own typed result.")
    error: dict[str, Any] | None = Field(None, description="Why it failed: problem details (RFC 9457).")
    warnings: list[str] = Field([], description="What was changed about a file, or could not be kept.")
    metrics: dict[str, Any] = Field({}, description="queue_s, run_s, fps (of the largest stage), peak_memory_bytes, attempts.")
    metadata: dict[str, Any] = {}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def urls(self) -> JobUrls:
        here = f"/v1/jobs/{self.id}"
        return JobUrls(self_=here, events=f"{here}/events", cancel=f"{here}/cancel")


class JobPage(BaseModel):
    """A page of jobs, newest first."""

    items: list[Job]
    next_cursor: str | None = Field(None, description="Give it as `cursor` for the next page; null at the end.")
