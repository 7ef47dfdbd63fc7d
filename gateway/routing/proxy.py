"""HTTP proxy that forwards /v1/{service}/... to the services.

Bodies are streamed both ways. Only requests of at most `MOST_PARSED_BYTES` to `jobs` or `check` are read whole, to find "auto" inputs and
previews.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from starlette.background import BackgroundTask

from gateway.routing.upstream import Upstreams, send, unreachable
from shared.errors import NotFound
from shared.log import CHANGES, note_changes

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Hop-by-hop headers (RFC 9110, 7.6.1), and headers that the gateway and the services set themselves.
NOT_PASSED_ON = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
    + b"host date server x-request-id".split()
    + [CHANGES.encode()]
)


MOST_PARSED_BYTES = 1_000_000
"""Largest request that is searched for "auto" inputs and previews. Larger ones are forwarded unread."""

Expand = Callable[[str, str, bytes, Request], Awaitable[Response | None]]
"""(service, path, body, request) -> the gateway's own answer; None forwards the request. `path` ends with `jobs` or `check`."""


SHARED_PREFIX = "media"
"""Service whose prefix, /v1/media, the gateway uses too. Only the paths of the service's operations are forwarded."""


REPLACED = {"v2": "aesthetics"}
"""Path prefix of a program -> the service that replaces it. The service answers the same paths."""


def proxy_routes(upstreams: Upstreams, expansions: Sequence[Expand]) -> APIRouter:
    """Return the routes that forward requests to the services.

    There are also routes for the programs that services replace: for example, `/v2/status` goes to `/v2/status` of `aesthetics`. Include
    them before the gateway's own routes under /v1/media.
    """
    router = APIRouter(include_in_schema=False)

    for service, client in upstreams.clients.items():
        forward = _forwarding(service, client, expansions)
        if service == SHARED_PREFIX:
            router.add_api_route(f"/v1/{service}/operations", forward, methods=["GET", "HEAD"])
            for endpoint in ("jobs", "check"):
                router.add_api_route(f"/v1/{service}/{{verb}}/{endpoint}", forward, methods=["POST"])
        else:
            router.add_api_route(f"/v1/{service}/{{path:path}}", forward, methods=METHODS)
        for first in (first for first, replacing in REPLACED.items() if replacing == service):
            router.add_api_route(f"/{first}/{{path:path}}", forward, methods=["GET", "HEAD", "POST"])
    return router


def _forwarding(service: str, client: httpx.AsyncClient, expansions: Sequence[Expand]) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that forwards requests to one service."""

    async def forward(request: Request) -> Response:
        length = request.headers.get("content-length")
        has_body = "transfer-encoding" in request.headers or (length is not None and length != "0")
        content: Any = request.stream() if has_body else None
        path = request.url.path.split("/", 3)[-1]
        # A request with a query is forwarded: the service refuses it.
        starts_job = request.method == "POST" and path.endswith(("/jobs", "/check")) and not request.url.query
        if starts_job and 0 < _number(length) <= MOST_PARSED_BYTES:
            content = await request.body()
            for expand in expansions:
                if (expanded := await expand(service, path, content, request)) is not None:
                    return expanded
        upstream = client.build_request(
            request.method,
            _address(client.base_url, request),
            headers=[*_passed_on(request.headers.raw), (b"x-request-id", request.state.request_id.encode())],
            content=content,
        )
        try:
            answer = await send(client, upstream, stream=True)
        except httpx.TransportError as error:
            raise unreachable(service) from error
        note_changes(*answer.headers.get(CHANGES, "").split())
        response = StreamingResponse(_raw(answer), answer.status_code, background=BackgroundTask(answer.aclose))
        response.raw_headers = _passed_on(answer.headers.raw)
        return response

    return forward


def _number(length: str | None) -> int:
    """Parse a Content-Length header; return 0 if missing or malformed."""
    return int(length) if length is not None and length.isdecimal() and len(length) < 10 else 0


def _address(base: httpx.URL, request: Request) -> httpx.URL:
    """Return the service URL for a request's path.

    That is the path after /v1/{service}, or a whole path of a replaced program. The percent-encoding stays, because decoding and
    encoding again may change the path. Raises NotFound for an invalid path.
    """
    query = request.scope["query_string"]
    try:
        _, first, *others = request.scope["raw_path"].split(b"/", 3)
        rest = b"/".join((first, *others)) if first.decode("latin-1") in REPLACED else others[1]
        return base.copy_with(raw_path=base.raw_path + rest + (b"?" + query if query else b""))
    except (httpx.InvalidURL, ValueError, IndexError) as error:  # IndexError: /v1%2Feffects/...
        raise NotFound(f"The address {request.url.path[:200]!r} does not exist. GET /docs lists all addresses.") from error


def _passed_on(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers if name.lower() not in NOT_PASSED_ON]


async def _raw(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the chunks of a response's body as they arrive, still compressed.

    The connection is released even if the client disconnects early.
    """
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
