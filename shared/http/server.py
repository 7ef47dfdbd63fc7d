"""Run several HTTP servers on one event loop, and wait for SIGTERM or SIGINT."""

import asyncio
import contextlib
import errno
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from shared.errors import Unavailable

MAX_SOCKET_PATH = 100
"""Longest path of a Unix socket. Systems allow about 104 characters, which a deep data folder may exceed."""

GRACE_S = 5
TICK_S, INSIDE_TICK_S = 5.0, 15.0
"""Seconds between renewals of the Date header. The first is for TCP, the second for Unix sockets between the parts of one process."""
BACKLOG = 512
KEEP_ALIVE_S = 75
"""Seconds that an idle connection stays open. This is longer than clients and proxies keep theirs (5 to 60 s): a request fails if the
server closes the connection at that moment."""


class _Server(uvicorn.Server):
    """A uvicorn server without signal handlers.

    `until_signaled` handles signals for all servers. It ticks every `tick_s` seconds, not ten times a second: a suite has eight servers.
    """

    def __init__(self, config: uvicorn.Config, tick_s: float):
        super().__init__(config)
        self._tick_s = tick_s
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Ask the server to shut down."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # 0: renew the Date header, too
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self._tick_s)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, kw_only=True)
class Site:
    """An app and the address that it listens on.

    The address is a Unix socket, or host and port (0: a free port).
    """

    app: FastAPI
    uds: str | None = None
    host: str = "127.0.0.1"
    port: int = 0


@asynccontextmanager
async def serving(sites: Sequence[Site]) -> AsyncIterator[list[str]]:
    """Serve `sites` during the block; yield their addresses."""
    servers, tasks, addresses = [], [], []
    try:
        for site in sites:
            listener = _listen(site)
            config = uvicorn.Config(
                site.app,
                log_level="warning",
                access_log=False,
                lifespan="on",
                timeout_graceful_shutdown=GRACE_S,
                timeout_keep_alive=KEEP_ALIVE_S,
                ws="none",
                server_header=False,
            )
            server = _Server(config, INSIDE_TICK_S if site.uds else TICK_S)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            servers.append(server)
            tasks.append(task)
            addresses.append(site.uds or "http://{}:{}".format(*listener.getsockname()[:2]))
            while not server.started:
                if task.done():
                    task.result()
                    raise RuntimeError(f"the server of {site.app.title} did not start")
                await asyncio.sleep(0.005)
        yield addresses
    finally:
        for server in servers:
            server.end()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_signaled() -> None:
    """Wait until this process receives SIGTERM or SIGINT."""
    signaled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signaled.set)
    try:
        await signaled.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def socket_folder(data_dir: Path) -> Iterator[Path]:
    """Create a folder for this process's Unix sockets, and delete it after the block.

    It lies in the data folder, or among the temporary files if that path is too long.
    """
    folder_in_data = data_dir.absolute() / "run"
    folder_in_data.mkdir(parents=True, exist_ok=True, mode=0o700)
    inside = None if len(str(folder_in_data)) > MAX_SOCKET_PATH - 40 else folder_in_data
    with tempfile.TemporaryDirectory(prefix="reelwright-", dir=inside) as folder:
        yield Path(folder)


def _listen(site: Site) -> socket.socket:
    """Open a site's socket and listen.

    A port in use is thus reported before the site's server starts.
    """
    if site.uds:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(site.uds)
    else:
        # State the protocol: asyncio turns Nagle's algorithm off only on sockets created as TCP. With it, an answer in two pieces waits
        # 40 ms for the client's delayed acknowledgement.
        family = socket.AF_INET6 if ":" in site.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((site.host, site.port))
        except OSError as error:
            listener.close()
            hint = (
                " Another program, perhaps another suite, uses this port: choose another --port." if error.errno == errno.EADDRINUSE else ""
            )
            raise Unavailable(f"The server cannot listen on http://{site.host}:{site.port}: {error.strerror or error}.{hint}") from error
        listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener
