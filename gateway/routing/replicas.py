"""Connections to a service that may run several times under one name: each goes to the next replica.

A container network answers a name with the addresses of all its replicas. A client that keeps its connections would send everything to the
replica it met first, and the system's resolver sorts the answers, so that this would be the same one every time.
"""

import asyncio
import itertools
import random
from collections.abc import Iterable
from functools import partial

import httpcore

from shared.net.transport import BackendTransport, Resolve, connected, resolved, system_resolve

CONNECT_S = 2.0
"""Looking a name up, and connecting to one address, may take this long each. The network is a local one."""

MAX_CONNECTIONS = 1000


class ReplicaBackend(httpcore.AsyncNetworkBackend):
    """Connects to the addresses of a name in turn. Where one takes no connection the next is tried: nothing has been sent by then."""

    def __init__(self, *, resolve: Resolve = system_resolve):
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()
        self._turn = itertools.count(random.randrange(1000))  # gateways that start together need not begin with the same one

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = sorted(await resolved(self._resolve, host, port, CONNECT_S))
        first = next(self._turn) % max(1, len(addresses))
        connect = partial(self._inner.connect_tcp, port=port, timeout=CONNECT_S, local_address=local_address, socket_options=socket_options)
        return await connected(host, (*addresses[first:], *addresses[:first]), connect)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def replica_transport() -> BackendTransport:
    """A transport that makes a connection for each request. That takes a fraction of a millisecond, and leaves none that has gone stale."""
    return BackendTransport(ReplicaBackend(), max_connections=MAX_CONNECTIONS, max_keepalive=0)
