"""Round-robin connections to the replicas of a service.

A container network resolves a name to the addresses of all replicas. A client with kept-alive connections would send every request to the
first replica, and the system's resolver sorts the addresses, so all clients would pick the same replica.
"""

import asyncio
import itertools
import random
from collections.abc import Iterable
from functools import partial

import httpcore

from shared.net.transport import BackendTransport, Resolve, connected, resolved, system_resolve

CONNECT_S = 2.0
"""Most seconds for resolving a name, and for connecting to one address. Short, as the network is local."""

MAX_CONNECTIONS = 1000


class ReplicaBackend(httpcore.AsyncNetworkBackend):
    """Network backend that uses the addresses of a host name in turn.

    If an address refuses the connection, the next is tried. That is safe, because no request has been sent yet.
    """

    def __init__(self, *, resolve: Resolve = system_resolve):
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()
        self._turn = itertools.count(random.randrange(1000))  # so that several gateways start at different replicas

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        limit_s = min(CONNECT_S, timeout or CONNECT_S)
        addresses = sorted(await resolved(self._resolve, host, port, limit_s))
        first = next(self._turn) % max(1, len(addresses))
        connect = partial(self._inner.connect_tcp, port=port, timeout=limit_s, local_address=local_address, socket_options=socket_options)
        return await connected(host, (*addresses[first:], *addresses[:first]), connect)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def replica_transport() -> BackendTransport:
    """Return an httpx transport that sends requests to the replicas in turn.

    Each request opens a new connection, which costs a fraction of a millisecond and is never stale.
    """
    return BackendTransport(ReplicaBackend(), max_connections=MAX_CONNECTIONS, max_keepalive=0)
