"""Collection of the last output of a worker process."""

import asyncio
import codecs
import contextlib
import os
import re

from shared.log import without_controls

TAIL_BYTES = 64 * 1024
UNSAFE_BYTES = 4096
"""Bytes to drop at the start of cut output without line breaks. They may end a secret or a folder's path."""
CHUNK_BYTES = 64 * 1024
"""Bytes read at a time: the usual capacity of a pipe. A full chunk means that the process writes faster than it is read."""
PAUSE_S = 0.05
"""Pause after a full chunk. Without it, a process that writes without end would occupy the event loop."""
STANDARD_ERROR = 2
PREFIX = "worker: "
"""Beginning of each forwarded line. No process can forge other lines of the server's log."""
LONGEST_LINE_CHARS = 8192
"""Length from which a line is forwarded before it ends."""


class OutputTail:
    """A collector of the last output of successive processes.

    The output is also forwarded to this process's standard error, in whole lines and without control characters.
    """

    def __init__(self) -> None:
        self._tail = bytearray()
        self._is_cut = False
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""
        self._pipe: int | None = None
        self._pause: asyncio.TimerHandle | None = None

    def open(self) -> int:
        """Open a pipe for the output of a new process.

        Returns its write end. The caller closes that end.
        """
        self.close()
        self._pipe, writing = os.pipe()
        os.set_blocking(self._pipe, False)
        self._listen()
        return writing

    def text(self) -> str:
        """Return the output received since the last call of `clear`, at most TAIL_BYTES."""
        self._drain()
        if not self._is_cut:
            return self._tail.decode(errors="replace")
        # The first line is cut: half a folder or a secret would not be recognized.
        first, _, rest = self._tail.partition(b"\n")
        return (rest or first[UNSAFE_BYTES:]).decode(errors="replace")

    def add(self, line: str) -> None:
        """Add a line from the server, without forwarding it."""
        self._drain()
        self._keep(line.encode())

    def clear(self) -> None:
        """Discard the collected output."""
        self._drain()
        self._tail.clear()
        self._is_cut = False

    def close(self) -> None:
        """Read the remaining output and close the pipe."""
        self._drain()
        self._end()

    def _listen(self) -> None:
        if self._pipe is not None:
            asyncio.get_running_loop().add_reader(self._pipe, self._arrived)

    def _arrived(self) -> None:
        if self._read() == CHUNK_BYTES and self._pipe is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._pipe)
            self._pause = loop.call_later(PAUSE_S, self._listen)

    def _drain(self) -> None:
        """Read the output that waits in the pipe.

        Reads at most twice the pipe's capacity, since a process may write without end.
        """
        for _ in range(2):
            if self._read() == 0:
                return

    def _read(self) -> int:
        """Read one chunk and forward it to standard error; return its length."""
        if self._pipe is None:
            return 0
        try:
            chunk = os.read(self._pipe, CHUNK_BYTES)
        except BlockingIOError:
            return 0
        if not chunk:
            self._end()
            return 0
        self._keep(chunk)
        self._forward(self._decoder.decode(chunk))
        return len(chunk)

    def _forward(self, text: str) -> None:
        """Write the whole lines of the output so far to standard error."""
        lines, end, self._line = (self._line + re.sub(r"[\r\n]+", "\n", text)).rpartition("\n")
        if len(self._line) > LONGEST_LINE_CHARS:
            lines, end, self._line = f"{lines}{end}{self._line}", "\n", ""
        if lines.strip():
            with contextlib.suppress(OSError):  # standard error is closed or full: the log loses this
                os.write(STANDARD_ERROR, f"{PREFIX}{without_controls(lines).replace(chr(10), chr(10) + PREFIX)}\n".encode())

    def _keep(self, chunk: bytes) -> None:
        self._tail += chunk
        self._is_cut = self._is_cut or len(self._tail) > TAIL_BYTES
        del self._tail[:-TAIL_BYTES]

    def _end(self) -> None:
        pipe, self._pipe = self._pipe, None
        self._forward("\n")
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if pipe is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                asyncio.get_running_loop().remove_reader(pipe)
            os.close(pipe)
