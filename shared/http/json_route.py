"""Routes that take JSON. A body that is held whole is of limited size, and JSON is what RFC 8259 says it is."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from shared.errors import Invalid, TooLarge, UnsupportedMedia

MAX_JSON_BYTES = 16 * 1024 * 1024
"""More than the longest speed curve needs."""


class JsonRoute(APIRoute):
    """Reads the body itself, so that what Python's parser and FastAPI let through cannot become a job that nobody can read again.

    That is NaN, halves of surrogate pairs and hundreds of nested lists, none of which can be answered as JSON; bodies without an end; and
    JSON under the name of a form, which a page of another site may send without being asked.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def read(request: Request) -> Response:
            body = await read_whole(request)
            return await handle(_Parsed(request, body, parse(body, request.headers.get("content-type", ""))))

        return read


class _Parsed(Request):
    """A request whose body has been read."""

    def __init__(self, request: Request, body: bytes, value: Any):
        super().__init__(request.scope, request.receive)
        self._given, self._value = body, value

    async def body(self) -> bytes:
        return self._given

    async def json(self) -> Any:
        return self._value


async def read_whole(request: Request, *, max_bytes: int = MAX_JSON_BYTES) -> bytes:
    """The body of a request. Raises TooLarge as soon as more than `max_bytes` of it have come."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(f"The body is longer than the {max_bytes} bytes that are taken here.")
    return bytes(body)


def parse(body: bytes, content_type: str) -> Any:
    """The value that a JSON body holds, None for an empty one. Raises UnsupportedMedia for another kind of body, Invalid for no JSON."""
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMedia(f"The body is {kind[:80]!r}; send JSON, with the header `Content-Type: application/json`.")
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Invalid(f"The body is no JSON: {error}.") from None
