"""Messages between the server and a worker process: a 4-byte length, then JSON.

The server's side is a slot (slot.py), the worker process its child. JSON in both directions, never pickle: a child that opens hostile media
must not be able to run code in its parent.

    slot -> child   {"call": number, "run": Call}
    child -> slot   {"call": number, "progress": ProgressUpdate} | {"call": number, "warning": JobWarning}    any number of times
                    {"call": number, "done": Done} | {"call": number, "error": Failed}    once; then the child waits for the next call

The number distinguishes a call's messages from those that a thread of an earlier call still sends.
"""

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from shared.errors import FieldError

HEADER = struct.Struct("!I")
MAX_BYTES = 64 * 1024 * 1024
"""Size limit of a message. A result is kept in the database and sent with its job; anything larger belongs into a file."""

MAX_OTHER_BYTES = 64 * 1024
"""Size limit of progress updates, warnings and errors."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request to call `target`, a "package.module:function".

    `args`: the fields of the function's request.
    """

    target: str
    args: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProgressUpdate:
    """A progress update of a job.

    `done` of `total` units of a stage, and the fraction (0 to 1) of the whole job. `fps`: units per second, `eta_s`: seconds left in this
    stage; None while unknown.
    """

    stage: str
    done: float
    total: float
    fraction: float
    fps: float | None = None
    eta_s: float | None = None


@dataclass(frozen=True)
class JobWarning:
    """A warning of a job, in one sentence."""

    text: str


@dataclass(frozen=True)
class Done:
    """The answer of a call: fields by name, or None without a return value."""

    result: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The error of a call.

    `error`: name of a class in shared/errors.py.
    """

    error: str
    detail: str
    errors: tuple[FieldError, ...] = ()


Update = ProgressUpdate | JobWarning
Message = Call | Update | Done | Failed
KINDS: dict[str, type[Message]] = {"run": Call, "progress": ProgressUpdate, "warning": JobWarning, "done": Done, "error": Failed}
_NAMES = {kind: name for name, kind in KINDS.items()}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in KINDS.items()}


def pack(call: int, message: Message) -> bytes:
    """Encode one message of a call.

    Raises ValueError over 64 MiB, or for a number that JSON cannot hold.
    """
    body = json.dumps({"call": call, _NAMES[type(message)]: vars(message)}, separators=(",", ":"), allow_nan=False, default=asdict).encode()
    if len(body) > MAX_BYTES:
        raise ValueError(f"a result of {len(body)} bytes is more than the {MAX_BYTES} that a job may return; write a file instead")
    return HEADER.pack(len(body)) + body


def unpack(body: bytes) -> tuple[int, Message]:
    """Decode and validate one message; return its call number and content.

    Raises ValueError for an invalid message, and for a progress update, warning or error over 64 KiB.
    """
    envelope = from_json(body, allow_inf_nan=False)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("call"), int) or len(envelope) != 2:
        raise ValueError("not a message of a call")
    kind = next(name for name in envelope if name != "call")
    if kind not in KINDS:
        raise ValueError(f"unknown kind of message {kind[:40]!r}")
    if len(body) > MAX_OTHER_BYTES and KINDS[kind] not in (Call, Done):
        raise ValueError(f"a message of {len(body)} bytes that is no result")
    message: Message = _ADAPTERS[kind].validate_python(envelope[kind])
    return envelope["call"], message


def body_length(header: bytes) -> int:
    """Return the length in bytes of the message body after a header.

    Raises ValueError over 64 MiB.
    """
    (length,) = HEADER.unpack(header)
    if length > MAX_BYTES:
        raise ValueError(f"the child announced {length} bytes")
    return int(length)
