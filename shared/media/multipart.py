"""A streaming reader of multipart/form-data bodies.

It buffers no fields and no files, neither in memory nor on disk.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.errors import BrokenMedia, Invalid, UnsupportedMedia, UploadTimeout

MAX_PARTS = 1000
IDLE_S = 60.0
"""Seconds without data after which a connection is dropped. Half-open connections would keep their files for ever."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One field or file of a multipart form.

    Read its `chunks` before the next part; unread chunks are skipped.
    """

    field: str
    filename: str | None
    chunks: AsyncIterator[bytes]

    async def text(self, *, max_bytes: int = 64 * 1024) -> str:
        """Read a text field's value.

        Raises Invalid if it is longer than `max_bytes` or not UTF-8.
        """
        value = bytearray()
        async for chunk in self.chunks:
            value += chunk
            if len(value) > max_bytes:
                raise Invalid(f"The form field {self.field!r} is longer than {max_bytes} bytes.")
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise Invalid(f"The form field {self.field!r} is not UTF-8 text.") from error


def stated_bytes(request: Request) -> int | None:
    """Return the length of the body that a request announces; None without one."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else None


async def read_parts(request: Request) -> AsyncGenerator[Part]:
    """Yield the parts of a request's body in order.

    Raises UnsupportedMedia for another content type, BrokenMedia for a damaged body.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise UnsupportedMedia(f"The content type of the body is {kind.decode('latin-1')!r}: send multipart/form-data with a boundary.")
    try:
        form = _Form(options[b"boundary"], request.stream())
    except FormParserError as error:
        raise _damaged(error) from error
    for _ in range(MAX_PARTS):
        if (header := await form.next_header()) is None:
            return
        field, filename = _names(header)
        yield Part(field=field, filename=filename, chunks=form.chunks())
    raise Invalid(f"The form has more than {MAX_PARTS} parts.")


class _Form:
    """The event queue between the multipart parser and its readers.

    Events are a part's Content-Disposition (str), its data (bytes) and its end (None).
    """

    def __init__(self, boundary: bytes, stream: AsyncIterator[bytes]):
        self._stream = stream
        self._events: deque[str | bytes | None] = deque()
        self._name, self._value, self._disposition = b"", b"", ""
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": lambda: self._events.append(self._disposition),
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(None),
                "on_end": self._on_end,
            },
        )

    async def next_header(self) -> str | None:
        """Return the next part's Content-Disposition; None after the last part."""
        while await self._fill():
            event = self._events.popleft()
            if isinstance(event, str):
                return event
        return None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the data of the current part."""
        while await self._fill() and not isinstance(self._events[0], str):
            event = self._events.popleft()
            if event is None:
                return
            if isinstance(event, bytes):
                yield event

    async def _fill(self) -> bool:
        """Parse until an event is queued; return False after the last event."""
        while not self._events:
            chunk = await self._next()
            if chunk is None:
                if not self._ended:
                    raise _damaged("it ends before its last boundary.")
                return False
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise _damaged(error) from error
        return True

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(IDLE_S):
                return await anext(self._stream, None)
        except TimeoutError as error:
            raise UploadTimeout(f"No data arrived for {IDLE_S:g} s: send the file again.") from error

    def _on_part_begin(self) -> None:
        self._disposition = ""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value.decode(errors="replace")
        self._name, self._value = b"", b""

    def _on_end(self) -> None:
        self._ended = True


def _damaged(why: object) -> BrokenMedia:
    return BrokenMedia(f"The multipart body is damaged: {why}")


def _names(disposition: str) -> tuple[str, str | None]:
    # Browsers send UTF-8, so the header was decoded as UTF-8; the parser's own functions use Latin-1.
    _, options = parse_options_header(disposition.encode().decode("latin-1"))
    if b"name" not in options:
        raise Invalid("A part of the form has no `name` in its header Content-Disposition.")
    filename = options.get(b"filename")
    return options[b"name"].decode(errors="replace"), None if filename is None else _unescaped(filename.decode(errors="replace"))


def _unescaped(name: str) -> str:
    """Decode the escapes in a form's file name.

    Browsers write a quotation mark as %22 (WHATWG HTML, multipart/form-data).
    """
    return name.replace("%22", '"').replace("%0D", "").replace("%0A", "")
