"""Path parameters, checks and documented error responses that the media routes share."""

from typing import Annotated

from fastapi import Path as PathParam
from fastapi import Request

from shared.errors import TooLarge
from shared.http.problems import problems
from shared.media.multipart import stated_bytes
from shared.sample_ids import SAMPLE_ID

MediaId = Annotated[str, PathParam(description="Id of a medium.", examples=[SAMPLE_ID], openapi_examples={"sample": {"value": SAMPLE_ID}})]

REFUSED = problems(
    _408="The upload stopped sending data",
    _413="Too large for this server (bytes, pixels, duration, streams). The answer names the limit",
    _415="Unsupported file format",
    _422="The file is empty or damaged, or nothing in it can be decoded",
    _503="The server's disk is full, or the machine is too busy to examine the file (`Retry-After` says when to try again)",
)
UNKNOWN = problems(_404="Unknown media, or media of another owner")


def owner_of(request: Request) -> str:
    """Return the owner whose media a request may see.

    The check of the API key (`shared/http/guards.py`) has stored it in the request.
    """
    owner: str = request.state.owner
    return owner


def check_length(request: Request, max_bytes: int) -> None:
    """Raise TooLarge if a request announces a body of more than `max_bytes`."""
    length = stated_bytes(request)
    if length is not None and length > max_bytes:
        raise TooLarge(f"The request announces {length} bytes; the limit for a file is {max_bytes} bytes (REELWRIGHT_MAX_UPLOAD_BYTES).")
