"""Every error a caller may see, as RFC 9457 problem details.

The first docstring line of a class is the problem's `title`; `detail` says what was wrong, with the value, and what to do.
"""

from typing import Any, ClassVar


class ReelwrightError(Exception):
    """Something went wrong"""

    type: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, *, errors: list[dict[str, str]] | None = None, headers: dict[str, str] | None = None):
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []
        self.headers = headers or {}

    def problem(self) -> dict[str, Any]:
        """This error as a problem details object (RFC 9457)."""
        title = (type(self).__doc__ or "").strip().splitlines()[0]
        body: dict[str, Any] = {"type": f"/problems/{self.type}", "title": title, "status": self.status, "detail": self.detail}
        return body | {"errors": self.errors} if self.errors else body


class Unauthorized(ReelwrightError):
    """An API key is needed"""

    type, status = "unauthorized", 401


class Forbidden(ReelwrightError):
    """The request came from another site"""

    type, status = "forbidden", 403


class NotFound(ReelwrightError):
    """There is no such thing here"""

    type, status = "not-found", 404


class UnknownOperation(NotFound):
    """No operation has that name"""

    type = "unknown-operation"


class UnknownJob(NotFound):
    """No job has that id"""

    type = "unknown-job"


class UnknownMedia(NotFound):
    """No media has that id"""

    type = "unknown-media"


class UnknownModel(NotFound):
    """No model has that name"""

    type = "unknown-model"


class UploadTimeout(ReelwrightError):
    """Nothing more came"""

    type, status = "upload-timeout", 408


class Conflict(ReelwrightError):
    """That cannot be done in the present state"""

    type, status = "conflict", 409


class TooLarge(ReelwrightError):
    """Larger than this server takes"""

    type, status = "too-large", 413


class UnsupportedMedia(ReelwrightError):
    """Not a kind of file that this server opens"""

    type, status = "unsupported-media", 415


class Invalid(ReelwrightError):
    """The request does not fit what is asked for"""

    type, status = "invalid", 422


class BrokenMedia(ReelwrightError):
    """The file is damaged"""

    type, status = "broken-media", 422


class ForbiddenAddress(ReelwrightError):
    """That address is not fetched"""

    type, status = "forbidden-address", 422


class FetchFailed(ReelwrightError):
    """The address could not be fetched"""

    type, status = "fetch-failed", 422


class IdempotencyMismatch(ReelwrightError):
    """That idempotency key was used for another request"""

    type, status = "idempotency-mismatch", 422


class QueueFull(ReelwrightError):
    """The queue is full"""

    type, status = "queue-full", 429


class Unavailable(ReelwrightError):
    """Not available at the moment"""

    type, status = "unavailable", 503


class ModelMissing(Unavailable):
    """The weights of a model are not installed"""

    type = "model-missing"


class ModelDamaged(Unavailable):
    """A file of a model is not what it has to be"""

    type = "model-damaged"


class OperationFailed(ReelwrightError):
    """The operation failed"""

    type = "operation-failed"


class WorkerCrashed(OperationFailed):
    """The process that did the work died"""

    type = "worker-crashed"


class OutOfMemory(OperationFailed):
    """The job needed more memory than it may have"""

    type = "out-of-memory"


class TimedOut(OperationFailed):
    """The job took longer than it may take"""

    type = "timed-out"
