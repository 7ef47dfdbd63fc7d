"""What travels between a slot and its child: JSON messages behind a 4-byte length.

JSON in both directions, never pickle: a child that opens hostile media must not be able to run code in its parent.

    slot -> child   {"call": number, "target": "package.module:function", "args": {...}}
    child -> slot   {"call": number, "progress": {...}} | {"call": number, "warning": str}    any number of times
                    {"call": number, "done": {...}} | {"call": number, "error": {...}}        once, and the child waits for the next call

The number tells the messages of a call from those that a thread of an earlier one still sends.
"""

import json
import struct
from typing import Any

HEADER = struct.Struct("!I")
MAX_BYTES = 64 * 1024 * 1024
"""A result is kept in the database and sent with its job: what is larger belongs into a file."""


def pack(message: dict[str, Any]) -> bytes:
    """One message as bytes. Raises ValueError over 64 MiB, or for a number that JSON does not know."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > MAX_BYTES:
        raise ValueError(f"a result of {len(body)} bytes is more than the {MAX_BYTES} that a job may answer; write a file instead")
    return HEADER.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """Bytes that follow a header. Raises ValueError over 64 MiB."""
    (length,) = HEADER.unpack(header)
    if length > MAX_BYTES:
        raise ValueError(f"the child announced {length} bytes")
    return int(length)
