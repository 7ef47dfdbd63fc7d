"""Request and response models of a job."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, computed_field, field_validator

from shared.media.record import MediaRecord

MAX_METADATA_BYTES = 64 * 1024
PRIORITIES = {"high": 10, "normal": 50, "low": 90, "idle": 99}
"""Priority in the queue: a smaller number runs sooner. DBOS's highest is 0."""


class Status(StrEnum):
    """Status of a job.

    A job is queued, then running, then succeeded, failed or canceled for good.
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        """Whether the job has ended and will never change again."""
        return self in (Status.SUCCEEDED, Status.FAILED, Status.CANCELED)


WebhookEvent = Literal["started", "progress", "succeeded", "failed", "canceled"]


class Webhook(BaseModel):
    """An address that the server calls when a job ends.

    The events `started` and `progress` are sent on demand. Calls are signed as Standard Webhooks defines.
    """

    model_config = ConfigDict(extra="forbid")

    url: HttpUrl = Field(description="An http(s) address that receives the messages. It must be public, like URLs of inputs.")
    secret: SecretStr | None = Field(None, description="Signing secret: `whsec_` followed by base64. Default: that of the server.")
    events: tuple[WebhookEvent, ...] = Field(
        ("succeeded", "failed", "canceled"),
        min_length=1,
        max_length=5,
        description="The events that are reported. `progress`: at most one message in 5 seconds, and about 100 per job.",
    )


class UrlInput(BaseModel):
    """An input that the server fetches before the job runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        description="An http:// or https:// URL at a public address, under the rules of `POST /v1/media/from-url`. A host name is resolved "
        "when the file is fetched: the job then fails if the name has an address that is not public.",
        examples=["https://example.com/clip.mp4"],
    )
    name: str | None = Field(None, description="Name of the file. null: the name that its server gives.")


InputValue = str | UrlInput | list[str | UrlInput] | None
"""Input of a request: media id, URL, list of these, or None."""


class JobEnvelope(BaseModel):
    """Options of every job request, beside its inputs and params."""

    model_config = ConfigDict(extra="forbid")

    webhook: Webhook | None = None
    metadata: dict[str, Any] = Field({}, description="Your own data; it is returned with the job.")
    priority: Literal["high", "normal", "low", "idle"] = Field("normal", description="Priority in the queue; `idle` runs after all others.")
    cache: bool = Field(
        True, description="Whether an earlier result for the same content and parameters may be returned. `false`: the job always runs."
    )

    name: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="Your name for the job.")
    deadline_s: float | None = Field(
        None, gt=0, le=366 * 86400, description="Seconds from acceptance after which an unfinished job fails (`/problems/timed-out`)."
    )
    listed: bool = Field(True, description="Whether the job and its outputs appear in lists.")

    @field_validator("metadata")
    @classmethod
    def _small(cls, metadata: dict[str, Any]) -> dict[str, Any]:
        length = len(json.dumps(metadata, allow_nan=False))  # allow_nan=False: JSON reads a number out of range as infinite
        if length > MAX_METADATA_BYTES:
            raise ValueError(f"{length} bytes of JSON exceed the limit of {MAX_METADATA_BYTES}")
        return metadata


class OperationEnvelope(JobEnvelope):
    """Options of a request for one operation, beside its inputs and params."""

    preview: bool = Field(False, description="Run on small copies of the videos, for a few seconds around `preview_at_s`.")
    preview_at_s: float = Field(0, ge=0, le=1e6, description="Second of the source in the middle of the preview.")
    preview_s: float = Field(3, ge=0.5, le=10, description="Length of the preview in seconds.")
    preview_slot: str = Field(
        "", max_length=64, description="A newer preview of the same operation, inputs and slot cancels the older one."
    )


class JobRequest(OperationEnvelope):
    """The body of `POST /{operation}/jobs`."""

    inputs: dict[str, InputValue] = Field({}, description="Input name -> media id or URL, or a list of them if the input takes several.")
    params: dict[str, Any] = Field({}, description="Parameters; omitted ones take their defaults.")


class NewWebhook(Webhook):
    """Body of `POST /v1/webhooks`."""

    name: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="Your name for the webhook.")


class Answer(BaseModel):
    """Base model of answers, in which every field is always present."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class StageProgress(Answer):
    """Progress of one operation."""

    stage: str = Field(description="Name of the current stage.", examples=["rendering"])
    done: float = Field(description="Finished frames (or other units) of this stage.")
    total: float
    fraction: float = Field(ge=0, le=1, description="Finished fraction of the whole job.")
    fps: float | None = Field(None, description="Units of this stage per second.")
    eta_s: float | None = Field(None, description="Estimated seconds left in this stage.")


class StepState(StrEnum):
    """State of one step of a pipeline.

    The last five are final.
    """

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CACHED = "cached"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"

    @property
    def done(self) -> bool:
        """Whether the step has its outputs, made now or earlier."""
        return self in (StepState.SUCCEEDED, StepState.CACHED)

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self not in (StepState.WAITING, StepState.RUNNING)

    @property
    def at_cancel(self) -> "StepState":
        """The state of the step after its pipeline was canceled."""
        return {StepState.RUNNING: StepState.CANCELED, StepState.WAITING: StepState.SKIPPED}.get(self, self)


class StepProgress(Answer):
    """Progress of one step in a pipeline."""

    id: str = Field(description="Name of the step in the request.")
    operation: str
    state: StepState = Field(
        description="`waiting` (for earlier steps, or in a queue), `running`, `succeeded`, `cached` (an earlier result was used), "
        "`failed`, `canceled`, or `skipped` (a step that it needs did not succeed)."
    )
    progress: StageProgress | None = Field(None, description="Progress of the step's job; null before it starts.")
    job: str | None = Field(None, description="Id of the step's job; null before it is accepted.")
    picture: str | None = Field(None, description="Address of a thumbnail of the first video or image output, once there is one.")
    detail: str | None = Field(None, description="Reason why the step failed, was skipped, or waits for its service.")


class JobProgress(StageProgress):
    """Progress of a job."""

    steps: list[StepProgress] | None = Field(None, description="The steps of a pipeline; null for other jobs.")


class JobUrls(BaseModel):
    """Addresses of a job, relative to the server."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    self_: str = Field(alias="self")
    events: str
    cancel: str
    log: str


class JobPreview(Answer):
    """The part of a source that a preview shows."""

    at_s: float = Field(description="Second of the source in the middle of the preview, as requested.")
    seconds: float = Field(description="Length in seconds, as requested.")
    slot: str = Field("", description="A newer preview of the same operation, inputs and slot cancels the older one.")
    start_s: float | None = Field(None, description="Second of the source at which the preview begins; null before it runs.")
    end_s: float | None = Field(None, description="Second of the source at which the preview ends; null before it runs.")


class Job(Answer):
    """One job: an operation or a pipeline, on given media."""

    id: str = Field(examples=["01j8zq3v4x5k6m7n8p9q0r1s2t"])
    service: str = Field(examples=["speed-ramp"])
    operation: str = Field(examples=["speed-ramp.render"])
    version: int | None = Field(None, description="Version of the operation, which grows whenever its results change; null for pipelines.")
    status: Status
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = Field(None, description="Time at which the ended job is deleted.")
    queue_position: int | None = Field(None, description="Position in the queue, 1 for the next job; null once started.")
    priority: str = "normal"
    inputs: dict[str, str | list[str] | None] = {}
    params: dict[str, Any] = Field({}, description="All parameters, with defaults filled in.")
    fetches: dict[str, str] = Field(
        {}, description="Inputs that were given as URLs: media id -> URL. The job waits until they are fetched."
    )
    progress: JobProgress | None = None
    outputs: dict[str, MediaRecord] = {}
    result: Any = Field(None, description="Result of the operation, as its schema describes it.")
    error: dict[str, Any] | None = Field(None, description="Problem details (RFC 9457) of a failed job.")
    warnings: list[str] = Field([], description="Sentences about properties of the input that the result changes or lacks.")
    listed: bool = Field(True, description="Whether the job and its outputs appear in lists.")
    preview: JobPreview | None = Field(None, description="The part of the source that a preview shows; null for other jobs.")
    cached: bool = Field(False, description="Whether an earlier result was returned instead of running the operation.")
    metrics: dict[str, Any] = Field(
        {},
        description="queue_s, run_s, fps (of the largest stage), peak_memory_bytes, input_s (length of the video), "
        "megapixel_frames (millions of pixels in all its frames), attempts.",
    )
    metadata: dict[str, Any] = {}
    name: str | None = Field(None, description="Your name for the job, from the request.")
    deadline_at: datetime | None = Field(None, description="Time at which the job fails if it has not finished by then.")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def urls(self) -> JobUrls:
        base_url = f"/v1/jobs/{self.id}"
        return JobUrls(self_=base_url, events=f"{base_url}/events", cancel=f"{base_url}/cancel", log=f"{base_url}/log")


class JobPage(Answer):
    """A page of jobs, newest first."""

    items: list[Job]
    next_cursor: str | None = Field(None, description="Value of `cursor` for the next page; null on the last page.")


class StandingWebhook(Answer):
    """A webhook that reports all listed jobs of one owner."""

    id: str
    name: str | None = None
    url: str
    events: list[WebhookEvent]
    created_at: datetime


class MadeWebhook(StandingWebhook):
    """A new standing webhook with its secret."""

    secret: str | None = Field(None, description="Signing secret, if the request gave none. It is shown only here.")


class DeliveryStatus(StrEnum):
    """Status of a webhook message.

    Pending (also between attempts), delivered to its receiver, or failed for good.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(Answer):
    """A webhook message about one event of a job."""

    id: str
    event: WebhookEvent
    webhook: str | None = Field(None, description="Id of the standing webhook; null for the job's own.")
    status: DeliveryStatus
    created_at: datetime
    attempts: int = Field(description="Number of attempts so far.")
    tried_at: datetime | None = Field(None, description="Time of the last attempt.")
    answer: int | None = Field(None, description="HTTP status of the last answer of the receiver.")
    error: str | None = Field(None, description="Why the last attempt failed.")


class DeliveryList(Answer):
    """The webhook messages about one job, oldest first."""

    items: list[Delivery]
