"""Every error a caller may see, as RFC 9457 problem details.

The first docstring line of a class is the problem's title, unless the class has a `title`. `detail` says what was wrong, with the value,
and what to do.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from shared.settings import current

OWN_FOLDER = re.compile(r"slots/\w+/\d+/(in|out|tmp)/(\w{26}/)?(outputs/)?|work/\w{26}/(outputs/)?")
"""Temporary folders of one job or call, below the data folder. They are cut out of messages."""
PATH = re.compile(r"(?<![\w.~/-])~?(?:/[^\s/'\"<>|:;,()\[\]{}]+){2,}/?")
"""Absolute paths of at least two parts.

The paths of addresses such as https://example.com/a/b do not match."""


def without_folders(text: str) -> str:
    """Shorten every absolute path in a text to its last part.

    For texts of operations and libraries, which may name any folder of the server.
    """
    return PATH.sub(lambda match: Path(match[0]).name, text)


def without_server_paths(text: str) -> str:
    """Remove the server's folders from an error text.

    The server's folders are those of data, models, Python and this project.
    """
    settings = current()
    data, models = str(settings.data_dir.absolute()), str(settings.models_folder)
    for folder, name in ((models, "models"), (data, ""), (sys.prefix, "python"), (str(Path(__file__).parents[1]), "")):
        if len(folder) > 1:
            text = text.replace(f"{folder}/", f"{name}/" if name else "").replace(folder, name or "the data folder")
    return OWN_FOLDER.sub("", text)


def for_clients(text: str) -> str:
    """Remove all folders from a text of an operation or a library.

    Names below the server's own folders stay whole.
    """
    return without_folders(without_server_paths(text))


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """The error of one field of a request, such as `params.start`."""

    field: str
    detail: str


def field_errors(problem: Mapping[str, Any]) -> list[FieldError]:
    """Return the field errors of a problem details object."""
    return [FieldError(field=str(error.get("field", "")), detail=str(error.get("detail", ""))) for error in problem.get("errors") or ()]


class ReelwrightError(Exception):
    """Internal error"""

    type: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = ""
    """Title of the problem; empty: the first docstring line of the class."""

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), headers: dict[str, str] | None = None):
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers or {}

    @classmethod
    def field(cls, field: str, detail: str, sentence: str = "") -> Self:
        """Return an error about one field, such as `params.start`.

        `detail` says what is wrong, without a full stop. `sentence`: the whole text; without it, the field and the detail.
        """
        return cls(sentence or f"{field}: {detail}.", errors=[FieldError(field=field, detail=detail)])

    def problem(self) -> dict[str, Any]:
        """Return this error as a problem details object (RFC 9457)."""
        title = self.title or (type(self).__doc__ or "").strip().splitlines()[0]
        detail = without_server_paths(self.detail)
        body: dict[str, Any] = {"type": f"/problems/{self.type}", "title": title, "status": self.status, "detail": detail}
        errors = [{"field": error.field, "detail": without_server_paths(error.detail)} for error in self.errors]
        return body | {"errors": errors} if errors else body


class Unauthorized(ReelwrightError):
    """API key required"""

    type, status = "unauthorized", 401


class Forbidden(ReelwrightError):
    """Request from another site refused"""

    type, status = "forbidden", 403


class ScopeMissing(Forbidden):
    """API key lacks a scope"""

    type = "scope-missing"


class NotFound(ReelwrightError):
    """Not found"""

    type, status = "not-found", 404


class UnknownOperation(NotFound):
    """Unknown operation"""

    type = "unknown-operation"


class UnknownJob(NotFound):
    """Unknown job"""

    type = "unknown-job"


class UnknownMedia(NotFound):
    """Unknown media"""

    type = "unknown-media"


class UnknownPreset(NotFound):
    """Unknown preset"""

    type = "unknown-preset"


class UnknownPipeline(NotFound):
    """Unknown saved pipeline"""

    type = "unknown-pipeline"


class UnknownWebhook(NotFound):
    """Unknown webhook"""

    type = "unknown-webhook"


class UnknownDelivery(NotFound):
    """Unknown webhook message"""

    type = "unknown-delivery"


class UnknownModel(NotFound):
    """Unknown model"""

    type = "unknown-model"


class UploadTimeout(ReelwrightError):
    """Upload timed out"""

    type, status = "upload-timeout", 408


class Conflict(ReelwrightError):
    """Conflict with the current state"""

    type, status = "conflict", 409


class TooLarge(ReelwrightError):
    """Too large"""

    type, status = "too-large", 413


class UnsupportedMedia(ReelwrightError):
    """Unsupported media type"""

    type, status = "unsupported-media", 415


class Invalid(ReelwrightError):
    """Invalid request"""

    type, status = "invalid", 422


class BrokenMedia(ReelwrightError):
    """Damaged file"""

    type, status = "broken-media", 422


class ForbiddenAddress(ReelwrightError):
    """Forbidden address"""

    type, status = "forbidden-address", 422


class FetchFailed(ReelwrightError):
    """Fetch failed"""

    type, status = "fetch-failed", 422


class IdempotencyMismatch(ReelwrightError):
    """Idempotency key used for another request"""

    type, status = "idempotency-mismatch", 422


class TooMany(ReelwrightError):
    """Too many"""

    type, status = "too-many", 429


class QueueFull(TooMany):
    """Queue full"""

    type = "queue-full"


class TooManyRequests(TooMany):
    """Too many requests"""

    type = "too-many-requests"


class QuotaExceeded(TooMany):
    """Quota exceeded"""

    type = "quota-exceeded"


class Unavailable(ReelwrightError):
    """Temporarily unavailable"""

    type, status = "unavailable", 503


class ModelMissing(Unavailable):
    """Model not installed"""

    type = "model-missing"


class ModelDamaged(Unavailable):
    """Damaged model file"""

    type = "model-damaged"


_LASTING = frozenset(f"/problems/{error.type}" for error in (ModelMissing, ModelDamaged))
"""Problem types with status 503 that do not pass by themselves. The operator has to run a command first."""


def may_pass(problem: Mapping[str, Any], status: int, retry_after: str | None) -> bool:
    """Return whether a refused request may succeed later.

    The server is busy or restarts, or too many requests came. A full quota without Retry-After, such as that of stored bytes, stays full.
    """
    kind = problem.get("type")
    full = kind == f"/problems/{QuotaExceeded.type}" and not retry_after
    return status in (429, 503) and kind not in _LASTING and not full


class OperationFailed(ReelwrightError):
    """Operation failed"""

    type = "operation-failed"


class WorkerCrashed(OperationFailed):
    """Worker process crashed"""

    type = "worker-crashed"


class OutOfMemory(OperationFailed):
    """Out of memory"""

    type = "out-of-memory"


class TimedOut(OperationFailed):
    """Timed out"""

    type = "timed-out"
