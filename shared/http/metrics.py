"""A middleware that counts, times and logs HTTP requests."""

import logging
import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.log import REQUESTS, fields

QUIET = frozenset({"/health", "/ready", "/metrics"})
"""Paths that are not logged, because monitors request them every few seconds."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
requests = logging.getLogger(REQUESTS)


class RequestMetrics:
    """A middleware that counts, times and logs requests.

    It measures the time until an answer begins.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry):
        self._app = app
        self._requests = Counter("reelwright_http_requests_total", "Answered requests", ["method", "status"], registry=registry)
        self._seconds = Histogram(
            "reelwright_http_request_seconds", "Time from the request to the start of the response", registry=registry
        )

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
                values = {
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "seconds": round(time.perf_counter() - began, 4),
                }
                requests.info("%(method)s %(path)s %(status)d", values, extra=fields(**values))
