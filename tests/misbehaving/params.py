"""Params and result of the misbehaving operations."""

from pydantic import BaseModel, Field

from shared.operation import Params


class Bad(Params):
    """Params of every operation of this service."""

    seconds: float = Field(0.0, ge=0, le=1000, description="Length of the job in seconds.")
    tag: str = Field("", max_length=60, description="Name of the job in the log.")
    log: str = Field("", description="Path of a log file, or the actions to try, as JSON.")
    count: int = Field(1, ge=0, description="Number or size, as the operation uses it.")


class Done(BaseModel):
    """The result of every operation of this service."""

    text: str
