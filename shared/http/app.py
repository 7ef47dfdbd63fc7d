"""What every HTTP app of the suite has: problem details, API keys, protection from other sites, health, metrics."""

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Forbidden, Invalid, NotFound, ReelwrightError, Unauthorized, Unavailable
from shared.http.params_text import invalid
from shared.log import CURRENT_REQUEST, REQUEST_ID, REQUESTS, TRACE, TRACEPARENT, fields
from shared.runtime import Runtime
from shared.settings import PUBLIC, Settings, is_loopback, owner_of

OPEN_PATHS = re.compile(r"/|/page/.*|/docs|/docs/.*|/openapi\.json|/health|/ready")
"""What needs no API key: pages and descriptions, never anybody's data."""

AskOthers = Callable[[], Awaitable[dict[str, str]]]
"""Name -> `ready`, or why not."""

ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
QUIET = frozenset({"/health", "/ready", "/metrics"})
"""What is asked every few seconds is not logged."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
log, requests = logging.getLogger(__name__), logging.getLogger(REQUESTS)


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(examples=["/problems/invalid"])
    title: str = Field(examples=["The request does not fit what is asked for"])
    status: int = Field(examples=[422])
    detail: str = Field(description="What was wrong, with the value, and what to do.")
    errors: list[dict[str, str]] | None = Field(None, description="One entry per field: `field`, its path, and `detail`.")


def problems(**texts: str) -> dict[int | str, dict[str, Any]]:
    """`_404="..."` and the like as FastAPI's `responses`."""
    return {int(code[1:]): {"model": Problem, "description": text} for code, text in texts.items()}


NOT_JSON = problems(_413="The body is too long", _415="The body is not said to be JSON")


def create_api(
    *, title: str, description: str, runtime: Runtime, reachable_by_browsers: bool, ask_others: AskOthers | None = None
) -> FastAPI:
    """An app with everything but its own routes. `reachable_by_browsers`: it listens on TCP rather than on a Unix socket.

    `ask_others` tells `GET /ready` how those are that this app hands work on to. It can do its own work without them.
    """
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect names the host that is asked for here, which is not the one that clients of the gateway know
        responses=problems(
            _401="No API key, or a wrong one", _403="Without API keys: from another site's page", _422="Refused, naming each field"
        ),
    )
    app.add_exception_handler(ReelwrightError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _no_database)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)
    registry = CollectorRegistry()
    app.add_middleware(Guard, settings=runtime.settings, reachable_by_browsers=reachable_by_browsers)
    app.add_middleware(Measured, registry=registry)
    _add_health(app, runtime, title, registry, ask_others)
    _add_docs(app)
    return app


def problem_response(error: ReelwrightError) -> JSONResponse:
    """An error as `application/problem+json`."""
    return JSONResponse(error.problem(), error.status, headers=error.headers, media_type="application/problem+json")


class Guard:
    """Lets requests in: sets `request.state.owner` from the API key, and keeps other web sites out.

    Without keys every page that the user's browser has open could send requests to this server (cross-site requests, DNS rebinding),
    so then the Host must be this machine and the Origin, where one is sent, the server itself.
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
        CURRENT_REQUEST.set(_known_by(request_id, scope["headers"]))
        try:
            if "\0" in scope["path"]:  # files and databases trip over it
                raise NotFound("No address here has a NUL character in it.")
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


class Measured:
    """Counts requests and the time until their answers begin."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry):
        self._app = app
        self._requests = Counter("reelwright_http_requests_total", "Requests answered", ["method", "status"], registry=registry)
        self._seconds = Histogram("reelwright_http_request_seconds", "Time until the answer began", registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status = time.perf_counter(), 0

        async def count(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                method = scope["method"] if scope["method"] in METHODS else "other"  # a client may send any word
                self._requests.labels(method, str(message["status"])).inc()
                self._seconds.observe(time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, count)
        finally:
            if scope["path"] not in QUIET:
                told = {
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "seconds": round(time.perf_counter() - began, 4),
                }
                requests.info("%(method)s %(path)s %(status)d", told, extra=fields(**told))


def _known_by(request_id: str, headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """What a request is sent on with: see shared/log.py."""
    trace = {name: dict(headers).get(name.encode(), b"").decode("latin-1") for name in TRACE}
    return {
        REQUEST_ID: request_id,
        **({name: value for name, value in trace.items() if value} if TRACEPARENT.fullmatch(trace[TRACE[0]]) else {}),
    }


def _add_health(app: FastAPI, runtime: Runtime, title: str, registry: CollectorRegistry, ask_others: AskOthers | None) -> None:
    jobs = runtime.jobs
    gauge = Gauge(
        "reelwright_jobs",
        "Jobs remembered; those with the status `queued` are the depth of the queue",
        ["service", "status"],
        registry=registry,
    )
    oldest = Gauge("reelwright_queue_oldest_seconds", "How long the oldest waiting job has waited", ["service"], registry=registry)
    database = Gauge("reelwright_database_up", "Whether the database answered; without it the figures above are missing", registry=registry)

    @app.get("/health", tags=["service"], summary="Whether the process is alive")
    async def health() -> dict[str, str]:
        return {"status": "alive", "name": title}

    @app.get("/ready", tags=["service"], summary="Whether it can take work; 503 with the reasons where it cannot")
    async def ready() -> dict[str, Any]:
        if reasons := await runtime.troubles():
            raise Unavailable("; ".join(reasons))
        return {"status": "ready", "name": title} | ({"services": await ask_others()} if ask_others else {})

    @app.get("/metrics", tags=["service"], summary="Figures for Prometheus", response_class=Response)
    async def metrics() -> Response:
        gauge.clear()
        oldest.clear()
        try:
            counts, waiting_since = await jobs.standing()
            for (service, status), count in counts.items():
                gauge.labels(service, status).set(count)
            for service, since in waiting_since.items():
                oldest.labels(service).set(max(0.0, time.time() - since))
            database.set(1)
        except SQLAlchemyError as error:
            log.warning("the database did not answer: %s", error)
            database.set(0)
        return Response(generate_latest(registry) + generate_latest(jobs.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _add_docs(app: FastAPI) -> None:
    """Swagger UI from files of this machine. Addresses are relative, so that the page works behind the gateway, too."""
    app.mount("/docs/assets", StaticFiles(directory=str(files("fastapi_offline") / "static")))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            title=app.title,
            openapi_url="./openapi.json",
            swagger_js_url="./docs/assets/swagger-ui-bundle.js",
            swagger_css_url="./docs/assets/swagger-ui.css",
            swagger_favicon_url="./docs/assets/favicon.png",
            swagger_ui_parameters={"tryItOutEnabled": True, "displayRequestDuration": True, "defaultModelsExpandDepth": 0},
        )


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ReelwrightError)
    return problem_response(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(invalid(error.errors()))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    titles = {404: "There is no such thing here", 405: "That method does not work here"}
    body = {"type": "about:blank", "title": titles.get(error.status_code, str(error.detail)), "status": error.status_code}
    body["detail"] = f"{request.method} {request.url.path}: {error.detail}. GET /docs lists what there is."
    return JSONResponse(body, error.status_code, headers=error.headers, media_type="application/problem+json")


async def _no_database(request: Request, error: Exception) -> Response:
    """The database is away, or another process kept it to itself for too long. Nothing was accepted that is not on disk."""
    log.warning("%s %s: the database did not answer: %s", request.method, request.url.path, error)
    return problem_response(Unavailable("The database does not answer at the moment. Try again soon.", headers={"Retry-After": "5"}))


async def _gone(_request: Request, _error: Exception) -> Response:
    """Nobody is there to read this; it only ends the request in order."""
    return problem_response(Invalid("The connection ended before the request did."))


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem_response(ReelwrightError("The server met an error it did not expect; its log says more."))
