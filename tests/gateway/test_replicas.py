"""Replicas of a service behind one name, simulated on 127.0.0.1, 127.0.0.2, ..."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.routing import replicas
from gateway.routing.replicas import ReplicaBackend
from gateway.routing.upstream import Upstreams, send
from shared.errors import Unavailable
from shared.net.transport import BackendTransport

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


class Replica:
    """A server that answers each request with its own address.

    If `breaks` is set, it closes the connection instead.
    """

    def __init__(self, address: str):
        self.address, self.breaks, self.requests = address, False, 0

    async def start(self, port: int = 0) -> int:
        self.server = await asyncio.start_server(self._serve, self.address, port)
        return int(self.server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        if not self.breaks:
            body = f'"{self.address}"'.encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()


@pytest.fixture
async def three() -> AsyncIterator[tuple[list[Replica], httpx.AsyncClient]]:
    """Start three replicas of one service; yield them and a client of the service."""
    servers = [Replica(address) for address in ADDRESSES]
    port = await servers[0].start()
    for server in servers[1:]:
        await server.start(port)

    async def resolve(host: str, port: int) -> list[str]:
        assert host == "effects"
        return list(ADDRESSES)

    transport = BackendTransport(ReplicaBackend(resolve=resolve), max_connections=10, max_keepalive=0)
    async with httpx.AsyncClient(base_url=f"http://effects:{port}", transport=transport) as client:
        yield servers, client
    for server in servers:
        await server.stop()


async def test_requests_are_spread_evenly(three: tuple[list[Replica], httpx.AsyncClient]) -> None:
    _, client = three
    met = Counter([(await client.get("/operations")).json() for _ in range(12)])
    assert met == dict.fromkeys(ADDRESSES, 4)


async def test_a_replica_that_refuses_connections_is_skipped(three: tuple[list[Replica], httpx.AsyncClient]) -> None:
    servers, client = three
    await servers[1].stop()
    met = Counter([(await client.post("/render/jobs", json={})).json() for _ in range(12)])
    assert met.total() == 12
    assert met.keys() == {ADDRESSES[0], ADDRESSES[2]}


async def test_only_safe_requests_are_sent_again(three: tuple[list[Replica], httpx.AsyncClient]) -> None:
    servers, client = three
    servers[0].breaks = True
    for _ in range(6):
        assert (await send(client, client.build_request("GET", "/operations"))).status_code == 200
    assert servers[0].requests == 2 or servers[0].requests == 3
    for server in servers:
        server.requests, server.breaks = 0, True
    with pytest.raises(httpx.RemoteProtocolError):
        await send(client, client.build_request("POST", "/render/jobs", json={}))
    assert sum(server.requests for server in servers) == 1


async def test_an_unresolvable_service_is_reported_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    async def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    monkeypatch.setattr(replicas, "CONNECT_S", 0.05)
    for resolve in (slow, unknown):
        transport = BackendTransport(ReplicaBackend(resolve=resolve), max_connections=10, max_keepalive=0)
        upstreams = Upstreams({"effects": httpx.AsyncClient(base_url="http://effects:8080", transport=transport)})
        with pytest.raises(Unavailable, match="effects does not answer"):
            await upstreams.ask("effects", "GET", "/operations")
        await upstreams.close()
