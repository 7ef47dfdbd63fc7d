"""Checks of a request's API key; without keys, of the headers Host and Origin."""

import ipaddress
import logging
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Forbidden, NotFound, ReelwrightError, Unauthorized
from shared.http.problems import problem_response
from shared.http.request_rates import RequestRates
from shared.keys import CURRENT_ACCESS, Access, KeyRing
from shared.log import AUDIT, CHANGES, CURRENT_CHANGES, CURRENT_REQUEST, REQUEST_ID, TRACE, TRACEPARENT, fields
from shared.settings import PUBLIC, Settings, is_loopback

OPEN_PATHS = re.compile(r"/|/page/.*|/docs|/docs/.*|/openapi\.json|/health|/ready")
"""Paths that need no API key: pages and descriptions, never anybody's data."""

METRICS = "/metrics"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CHECK = re.compile(r"/.*/check")
"""Paths at which a POST changes nothing."""
IDS_IN_LINE = 100
"""Maximum number of ids in a line of the audit log. A request that changes more gets several lines."""
ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
audit = logging.getLogger(AUDIT)


class Guard:
    """A middleware that checks API keys and refuses requests from other sites.

    It sets `request.state.owner` from the API key. Without API keys, any page in the user's browser could send requests to this server
    (cross-site requests, DNS rebinding). Then the Host must be this machine, and the Origin, if there is one, this server.

    The entrance of the suite (`entrance`) also counts the requests of each key, and logs who changed what.
    """

    def __init__(self, app: ASGIApp, settings: Settings, keys: KeyRing, *, reachable_by_browsers: bool, entrance: bool):
        self._app, self._settings, self._keys = app, settings, keys
        self._browsers, self._entrance = reachable_by_browsers, entrance
        self._rates = RequestRates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        client_id = dict(scope["headers"]).get(REQUEST_ID.encode(), b"").decode("latin-1")
        request_id = client_id if ID.fullmatch(client_id) else f"{random.getrandbits(64):016x}"
        access: Access | None = None
        changes: list[str] = []

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [header for header in message["headers"] if header[0] != b"x-request-id"]
                message["headers"] = [*headers, (b"x-request-id", request_id.encode("latin-1"))]
                if access is not None and self._entrance:
                    _log_changes(access, scope, message, changes)
                elif changes:  # the gateway logs them
                    message["headers"].append((CHANGES.encode(), " ".join(changes[:IDS_IN_LINE]).encode()))
            await send(message)

        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        CURRENT_REQUEST.set(_forwarded_headers(request_id, scope["headers"]))
        try:
            if "\0" in scope["path"]:  # file systems and databases refuse a NUL character
                raise NotFound("The address contains a NUL character (%00): remove it.")
            access = self._access(Request(scope))
            if self._entrance:
                self._rates.count(access)
        except ReelwrightError as error:
            return await problem_response(error)(scope, receive, send_with_id)
        state["owner"] = access.owner
        CURRENT_ACCESS.set(access)
        CURRENT_CHANGES.set(changes)
        return await self._app(scope, receive, send_with_id)

    def _access(self, request: Request) -> Access:
        if self._keys.required:
            return self._access_by_key(request)
        if self._browsers:
            self._refuse_other_sites(request)
        return Access(owner=PUBLIC)

    def _access_by_key(self, request: Request) -> Access:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        path = request.scope["path"]  # `url.path` would also depend on the header Host
        if path == METRICS and self._keys.opens_metrics(key):
            return Access(owner=PUBLIC, scopes=("admin",))
        if OPEN_PATHS.fullmatch(path):
            access = self._keys.find(key) if key else None
            return access or Access(owner=PUBLIC, scopes=("read",))
        access = self._keys.find(key) if key else None
        if access is None:
            detail = (
                "This server does not know the API key." if key else "Send an API key: `Authorization: Bearer <key>` or `X-API-Key: <key>`."
            )
            raise Unauthorized(detail, headers={"WWW-Authenticate": "Bearer"})
        access.require("admin" if path == METRICS else "read" if request.method in SAFE else "run")
        return access

    def _refuse_other_sites(self, request: Request) -> None:
        host = request.headers.get("host", "")
        name = re.sub(r":\d+$", "", host).strip("[]")
        # Prometheus finds containers by address. A page of another site can reach a server only by a name, never by its address.
        scraped = request.scope["path"] == METRICS and _is_address(name)
        if not is_loopback(name) and name not in self._settings.trusted_hosts and not scraped:
            raise Forbidden(
                f"Without API keys, the server takes no requests to the host {host!r}: use localhost, "
                "list the host in REELWRIGHT_TRUSTED_HOSTS, or set REELWRIGHT_API_KEYS."
            )
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host and origin not in self._settings.cors_origins:
            raise Forbidden(
                f"Without API keys, only this server's own pages may send requests, not those of {origin!r}. "
                "REELWRIGHT_CORS_ORIGINS allows a site."
            )


def _log_changes(access: Access, scope: Scope, answer: Message, changes: list[str]) -> None:
    """Log which API key changed what.

    `changes`: ids that the request made, changed or deleted. A request with changes is logged, whatever its method and its answer. A
    request without any is logged only if its method may change something and it succeeded.
    """
    path = "".join(char if char.isprintable() else f"%{ord(char):02X}" for char in scope["path"])  # no line breaks in the log
    if not changes and (scope["method"] in SAFE or answer["status"] >= 400 or CHECK.fullmatch(path)):
        return
    location = dict(answer["headers"]).get(b"location", b"").decode("latin-1")
    ids = [text for text in changes if text not in path and text not in location]
    who, what = {"key": access.name or access.owner, "owner": access.owner}, {"method": scope["method"], "path": path}
    for start in range(0, max(1, len(ids)), IDS_IN_LINE):
        values = {**who, **what, "status": answer["status"], "made": location, "ids": " ".join(ids[start : start + IDS_IN_LINE])}
        audit.info("%s", " ".join(_words(values)), extra=fields(**values, event="change"))


def _words(values: Mapping[str, Any]) -> Iterator[str]:
    yield f"{values['key']}:"
    yield from (str(values[name]) for name in ("method", "path", "status", "made", "ids") if values[name])


def _is_address(host: str) -> bool:
    """Return whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _forwarded_headers(request_id: str, headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers to send with calls to other services.

    See shared/log.py.
    """
    trace = {name: dict(headers).get(name.encode(), b"").decode("latin-1") for name in TRACE}
    return {
        REQUEST_ID: request_id,
        **({name: value for name, value in trace.items() if value} if TRACEPARENT.fullmatch(trace[TRACE[0]]) else {}),
    }
