"""Gzip compression of answers for clients that accept it."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

from fastapi import Request, Response

LEVEL = 5
LEAST_BYTES = 1000
_ZERO = re.compile(r"[qQ]\s*=\s*0(\.0*)?")


def accepts_gzip(request: Request) -> bool:
    """Return whether the client accepts gzip."""
    return "gzip" in _codings(request.headers.get("accept-encoding", ""))


def json_response(request: Request, content: Any) -> Response:
    """Return a JSON response, compressed if the client accepts gzip.

    Content shorter than LEAST_BYTES is sent uncompressed.
    """
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Vary": "Accept-Encoding"}
    if len(body) >= LEAST_BYTES and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, LEVEL, mtime=0)
    return Response(body, media_type="application/json", headers=headers)


def _codings(header: str) -> Iterator[str]:
    """Yield the content codings, such as gzip, that a client accepts.

    A quality of 0 refuses a coding (RFC 9110, 12.4.2).
    """
    for part in header.split(","):
        name, _, weight = part.partition(";")
        if not _ZERO.fullmatch(weight.strip()):
            yield name.strip().lower()
