"""Routes that parse size-limited JSON bodies strictly (RFC 8259)."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from shared.errors import Invalid, TooLarge, UnsupportedMedia

MAX_JSON_BYTES = 16 * 1024 * 1024
"""Size limit of a JSON body. The longest speed curve fits."""


class JsonRoute(APIRoute):
    """A route that reads and parses its JSON body strictly.

    Python's parser and FastAPI accept too much. Refused are NaN, halves of surrogate pairs and hundreds of nested lists, which could not be
    returned as JSON; endless bodies; and JSON with the content type of a form, which a page of another site may send without a preflight
    request.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def read(request: Request) -> Response:
            body = await read_whole(request)
            return await handle(_ParsedRequest(request, body, parse(body, request.headers.get("content-type", ""))))

        return read


class _ParsedRequest(Request):
    """A request whose body is already read and parsed."""

    def __init__(self, request: Request, body: bytes, value: Any):
        super().__init__(request.scope, request.receive)
        self._raw, self._value = body, value

    async def body(self) -> bytes:
        return self._raw

    async def json(self) -> Any:
        return self._value


async def read_whole(request: Request, *, max_bytes: int = MAX_JSON_BYTES) -> bytes:
    """Read the body of a request.

    Raises TooLarge as soon as more than `max_bytes` have arrived.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(f"The body is larger than the limit of {max_bytes} bytes.")
    return bytes(body)


def parse(body: bytes, content_type: str) -> Any:
    """Parse a JSON body; return None if the body is empty.

    Raises UnsupportedMedia for another content type, Invalid for broken JSON and for a name that an object has twice.
    """
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMedia(
            f"The content type of the body is {kind[:80]!r}: send JSON, with the header `Content-Type: application/json`."
        )
    try:
        value = from_json(body, allow_inf_nan=False)
        json.loads(body, object_pairs_hook=_refuse_repeated_names)  # pydantic's parser takes the last of them
        return value
    except ValueError as error:
        raise Invalid(f"The body is not valid JSON: {error}.") from None


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> None:
    """Raise ValueError if an object repeats a name.

    Parsers disagree on which value counts (RFC 8259, 4).
    """
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise ValueError(f"one object has the name {name[:64]!r} twice")
        names.add(name)
