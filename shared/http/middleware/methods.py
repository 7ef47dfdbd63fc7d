"""A middleware that answers HEAD and OPTIONS requests, and sets `Allow` headers."""

import asyncio

from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OF_A_PATH = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Methods:
    """A middleware that adds HEAD, OPTIONS and `Allow` to a router's routes.

    A HEAD without a route of its own is answered as a GET without the body. OPTIONS without a route lists the methods in `Allow`, and so
    does a refusal with 405.
    """

    def __init__(self, app: ASGIApp, router: Router):
        self._app, self._router = app, router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if scope["method"] == "HEAD" and not self._has(scope, "HEAD") and self._has(scope, "GET"):
            return await self._head(scope, receive, send)
        if scope["method"] == "OPTIONS" and not self._has(scope, "OPTIONS") and (allowed := self._allowed(scope)):
            await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", allowed)]})
            return await send({"type": "http.response.body", "body": b""})

        async def send_with_allow(message: Message) -> None:
            # If a route has the method, the service behind a proxy route refused it: its answer stays unchanged.
            refused = message["type"] == "http.response.start" and message["status"] == 405 and not self._has(scope, scope["method"])
            if refused and (allowed := self._allowed(scope)):
                others = [header for header in message["headers"] if header[0].lower() != b"allow"]
                message["headers"] = [*others, (b"allow", allowed)]
            await send(message)

        return await self._app(scope, receive, send_with_allow)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a HEAD request with the headers of the GET response."""
        endless = asyncio.Event()

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                if any(value.startswith(b"text/event-stream") for name, value in message["headers"] if name.lower() == b"content-type"):
                    endless.set()

        answering = asyncio.ensure_future(self._app({**scope, "method": "GET"}, receive, send_head))
        ending = asyncio.ensure_future(endless.wait())
        try:
            await asyncio.wait({answering, ending}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            for task in (answering, ending):
                task.cancel()
            await asyncio.gather(answering, ending, return_exceptions=True)

    def _has(self, scope: Scope, method: str) -> bool:
        """Return whether the request's path has a route for `method`."""
        return any(_match(route, scope, method) is Match.FULL for route in self._router.routes)

    def _allowed(self, scope: Scope) -> bytes:
        """Return the `Allow` header for the request's path.

        Empty if it has no route.
        """
        methods = [method for method in OF_A_PATH if self._has(scope, method)]
        if "GET" in methods and "HEAD" not in methods:
            methods.insert(1, "HEAD")
        return ", ".join([*methods, "OPTIONS"]).encode() if methods else b""


def _match(route: BaseRoute, scope: Scope, method: str) -> Match:
    return route.matches({**scope, "method": method})[0]
