"""Admission of requests by API key, or without keys only from this machine."""

import re
import secrets

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Forbidden, NotFound, ReelwrightError, Unauthorized
from shared.http.problems import problem_response
from shared.log import CURRENT_REQUEST, REQUEST_ID, TRACE, TRACEPARENT
from shared.settings import PUBLIC, Settings, is_loopback, owner_of

OPEN_PATHS = re.compile(r"/|/page/.*|/docs|/docs/.*|/openapi\.json|/health|/ready")
"""Paths that need no API key: pages and descriptions, never anybody's data."""

ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


class Guard:
    """A middleware that checks API keys and refuses other web sites.

    It sets `request.state.owner` from the API key. Without API keys, any page in the user's browser could send requests to this server
    (cross-site requests, DNS rebinding). Then the Host must be this machine, and the Origin, if there is one, this server.
    """

    def __init__(self, app: ASGIApp, settings: Settings, reachable_by_browsers: bool):
        self._app, self._settings, self._browsers = app, settings, reachable_by_browsers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = dict(scope["headers"]).get(REQUEST_ID.encode(), b"").decode("latin-1")
        request_id = given if ID.fullmatch(given) else secrets.token_hex(8)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [header for header in message["headers"] if header[0] != b"x-request-id"]
                message["headers"] = [*kept, (b"x-request-id", request_id.encode("latin-1"))]
            await send(message)

        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        CURRENT_REQUEST.set(_forwarded_headers(request_id, scope["headers"]))
        try:
            if "\0" in scope["path"]:  # file systems and databases refuse a NUL character
                raise NotFound("The address contains a NUL character.")
            state["owner"] = self._owner(Request(scope))
        except ReelwrightError as error:
            return await problem_response(error)(scope, receive, send_with_id)
        return await self._app(scope, receive, send_with_id)

    def _owner(self, request: Request) -> str:
        if self._settings.api_keys:
            return self._owner_by_key(request)
        if self._browsers:
            self._refuse_other_sites(request)
        return PUBLIC

    def _owner_by_key(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        if any(secrets.compare_digest(given.encode(), key.get_secret_value().encode()) for key in self._settings.api_keys):
            return owner_of(given)
        if OPEN_PATHS.fullmatch(request.url.path):
            return PUBLIC
        detail = (
            "The API key is not one of this server's." if given else "Send an API key: `Authorization: Bearer <key>` or `X-API-Key: <key>`."
        )
        raise Unauthorized(detail, headers={"WWW-Authenticate": "Bearer"})

    def _refuse_other_sites(self, request: Request) -> None:
        host = request.headers.get("host", "")
        name = re.sub(r":\d+$", "", host).strip("[]")
        if not is_loopback(name) and name not in self._settings.trusted_hosts:
            raise Forbidden(f"The Host {host!r} is not this machine: use 127.0.0.1 or localhost, or set REELWRIGHT_API_KEYS.")
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise Forbidden(f"The Origin {origin!r} is another site; without API keys only this server's own pages may send requests.")


def _forwarded_headers(request_id: str, headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers to pass on to requests caused by this request.

    See shared/log.py.
    """
    trace = {name: dict(headers).get(name.encode(), b"").decode("latin-1") for name in TRACE}
    return {
        REQUEST_ID: request_id,
        **({name: value for name, value in trace.items() if value} if TRACEPARENT.fullmatch(trace[TRACE[0]]) else {}),
    }
