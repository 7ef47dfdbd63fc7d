"""HTTP requests to a suite, retried while the server is unreachable or busy."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from shared.client.errors import Refused, Unreachable

TIMEOUT = httpx.Timeout(30, read=90, write=90)  # a read takes up to 60 s: `Prefer: wait` holds an answer
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0
CONNECTING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors that occur before a request is sent. After them, every request may be repeated."""


class Connection:
    """The HTTP connection to one suite.

    `patience_s`: how long requests are repeated while the server does not answer, is full or restarts. A server that has never answered
    is reported at once: its address may be wrong.
    """

    def __init__(self, url: str, key: str, *, patience_s: float, transport: httpx.AsyncBaseTransport | None = None):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT, transport=transport)
        self.patience_s = patience_s
        self._answered = False

    async def json(self, method: str, path: str, **request: Any) -> Any:
        """Send a request; return the JSON answer, or None if the answer is empty.

        Raises Refused, Unreachable.
        """
        answer = await self.send(method, path, **request)
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise _no_suite(answer) from None

    async def send(self, method: str, path: str, *, repeat: bool | None = None, **request: Any) -> httpx.Response:
        """Send a request; return the response.

        `repeat`: whether the request may be sent again if the connection breaks; None: if the method is GET, HEAD or DELETE. Refusals
        with 429 or 503 are repeated after the pause that the server asks for. Raises Refused, Unreachable.
        """
        repeat = method in ("GET", "HEAD", "DELETE") if repeat is None else repeat
        pauses = Pauses(self.patience_s)
        while True:
            try:
                answer = await self.http.request(method, path, **request)
            except httpx.TransportError as error:
                may_repeat = self._answered and (repeat or isinstance(error, CONNECTING))
                if not may_repeat or not await pauses.wait():
                    raise Unreachable(
                        f"{self.http.base_url} does not answer: {error or type(error).__name__}. Check the address, "
                        "and that the suite is running."
                    ) from error
                continue
            self._answered = True
            if not answer.is_error:
                return answer
            refusal = refused(answer)
            if not refusal.passes or not await pauses.wait(refusal.retry_after):
                raise refusal

    @asynccontextmanager
    async def stream(self, path: str, *, headers: dict[str, str] | None = None) -> AsyncIterator[httpx.Response]:
        """Open the response to a GET request as a stream.

        Raises Refused, and httpx's errors of a broken connection.
        """
        async with self.http.stream("GET", path, headers=headers) as answer:
            if answer.is_error:
                await answer.aread()
                raise refused(answer)
            yield answer

    async def file(self, path: str, *, etag: str) -> AsyncIterator[bytes]:
        """Yield the bytes of a file, resuming after broken connections.

        `etag`: of the file. Raises Refused, Unreachable.
        """
        received, pauses = 0, Pauses(self.patience_s)
        while True:
            try:
                ranged = {"Range": f"bytes={received}-", "If-Range": etag} if received else None
                async with self.stream(path, headers=ranged) as answer:
                    skip = received if answer.status_code == 200 else 0  # the server sent the whole file again
                    async for chunk in answer.aiter_bytes():
                        fresh, skip = chunk[skip:], max(0, skip - len(chunk))
                        received += len(fresh)
                        yield fresh
                    return
            except (httpx.TransportError, Refused) as error:
                refusal = error if isinstance(error, Refused) else None
                if refusal is not None and not refusal.passes:
                    raise
                if not await pauses.wait(refusal.retry_after if refusal else None):
                    raise Unreachable(f"{self.http.base_url} does not answer: {error}.") from error


class Pauses:
    """A series of growing pauses between attempts, which ends after `patience_s` without progress."""

    def __init__(self, patience_s: float):
        self._patience_s = patience_s
        self.reset()

    def reset(self) -> None:
        """Restart the pauses after an attempt that made progress."""
        self._deadline, self._pause_s = time.monotonic() + self._patience_s, FIRST_PAUSE_S

    async def wait(self, retry_after: str | None = None) -> bool:
        """Wait before the next attempt.

        Returns False if the time for attempts is over. `retry_after`: the seconds that the server asks for.
        """
        pause_s = max(self._pause_s, float(retry_after) if retry_after and retry_after.isdecimal() else 0.0)
        if time.monotonic() + pause_s > self._deadline:
            return False
        await asyncio.sleep(pause_s)
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        return True


def refused(answer: httpx.Response) -> Refused:
    """Return the error that describes a refused request."""
    try:
        problem = answer.json()
    except ValueError:
        return _no_suite(answer)
    problem = problem if isinstance(problem, dict) else {"detail": str(problem)}
    return Refused(problem, answer.status_code, retry_after=answer.headers.get("retry-after"))


def _no_suite(answer: httpx.Response) -> Refused:
    detail = f"{answer.request.url} answered {answer.status_code}, which is not an answer of Reelwright. Check the address."
    return Refused({"type": "about:blank", "title": "Not Reelwright", "status": answer.status_code, "detail": detail}, answer.status_code)
