"""Logging as lines of text or JSON objects.

JSON lines carry the ids of the request and the job.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from rich.console import Console
from rich.logging import RichHandler

REQUEST_ID, TRACE = "x-request-id", ("traceparent", "tracestate")
TRACEPARENT = re.compile(r"[0-9a-f]{2}(-[0-9a-f]{32})(-[0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)
LINE, TIME = "%(asctime)s %(levelname)-8s %(message)s", "%Y-%m-%d %H:%M:%S"
"""Format of a log line in a file, and of its time."""
NOISY = ("httpx", "httpcore", "dbos")
REQUESTS = "reelwright.requests"
"""Logger of answered requests; silent in the text format."""
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters other than tab and line feed. On a terminal they can hide or change text."""
AUDIT = "reelwright.audit"
"""Logger of changes: which key changed what."""

CURRENT_REQUEST: ContextVar[Mapping[str, str]] = ContextVar("request")
"""Headers that identify the current request: `x-request-id`, and the W3C trace context if present. They are sent on to other services."""

CURRENT_JOB: ContextVar[str] = ContextVar("job")
"""Id of the current job."""

CURRENT_CHANGES: ContextVar[list[str]] = ContextVar("changes")
"""Ids of the objects that the current request has made, changed or deleted."""

CHANGES, MOST_CHANGES = "x-reelwright-changes", 1000
"""Header in which services report CURRENT_CHANGES to the gateway.

At most MOST_CHANGES ids are kept."""


def set_up(style: Literal["text", "json"]) -> None:
    """Configure logging to standard error.

    Text is coloured and wrapped on a terminal only: in a file, `grep` finds a whole message in one line.
    """
    handler: logging.Handler
    if style == "json":
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
    elif sys.stderr.isatty():
        handler = RichHandler(console=Console(stderr=True), show_path=False)
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(LINE, datefmt=TIME))
    if style == "text":
        logging.getLogger(REQUESTS).setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def forwarded_headers() -> dict[str, str]:
    """Return the headers to send with calls to other services.

    They identify the request or the job that causes the call.
    """
    if headers := CURRENT_REQUEST.get(None):
        return dict(headers)
    return {REQUEST_ID: job_id} if (job_id := CURRENT_JOB.get(None)) else {}


def note_changes(*ids: str) -> None:
    """Note ids that the current request made, changed or deleted, for the audit log.

    Does nothing outside a request.
    """
    changes = CURRENT_CHANGES.get([])
    changes += [text for text in ids if text not in changes][: MOST_CHANGES - len(changes)]


def without_controls(text: str) -> str:
    """Remove control characters other than tab and line feed from a text."""
    return CONTROLS.sub("", text)


def fields(**values: Any) -> dict[str, Any]:
    """Return the `extra` argument that adds `values` to a log call.

    JSON lines have the values beside the message; lines of text do not show them.
    """
    return {"fields": values}


class JsonLines(logging.Formatter):
    """A log formatter that writes JSON lines.

    Keys: `time` (UTC), `level`, `logger`, `message`, known ids, the call's fields, and `exception`.
    """

    def format(self, record: logging.LogRecord) -> str:
        headers = CURRENT_REQUEST.get({})
        trace = TRACEPARENT.fullmatch(headers.get(TRACE[0], ""))
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": headers.get(REQUEST_ID),
            "trace_id": trace[1][1:] if trace else None,
            "job_id": CURRENT_JOB.get(None),
            **getattr(record, "fields", {}),
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in line.items() if value is not None}, default=str)
