"""httpx transports that control which IP address they connect to.

CheckedTransport connects to exactly the address that it checked. A name is resolved once for each connection, so a DNS answer that changes
between check and use (DNS rebinding) has no effect. Host header, TLS server name and certificate check keep the name.
"""

import asyncio
import contextlib
import functools
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence

import httpcore
import httpx

from shared.net.addresses import Network, check_address

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Resolves host name and port to addresses, best first. Raises OSError if there is no address."""


@functools.cache
def tls_context(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    """Create a TLS context with the given certificate authorities.

    The authorities come from a file or folder, or else from httpx. The context is cached, because loading takes 20 ms.
    """
    if cert_file or cert_dir:
        return ssl.create_default_context(cafile=cert_file or None, capath=cert_dir or None)
    return httpx.create_ssl_context(trust_env=False)


async def system_resolve(host: str, port: int) -> list[str]:
    """Resolve a host name with this machine's resolver."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


async def resolved(resolve: Resolve, host: str, port: int, timeout: float | None) -> Sequence[str]:
    """Resolve a host name within a time limit.

    Raises httpcore's ConnectTimeout after `timeout` seconds, ConnectError if the name has no address.
    """
    try:
        async with asyncio.timeout(timeout):
            return await resolve(host, port)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"{host} was not resolved within {timeout} s") from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} has no address ({error})") from error


async def connected(
    host: str, addresses: Iterable[str], connect: Callable[[str], Awaitable[httpcore.AsyncNetworkStream]]
) -> httpcore.AsyncNetworkStream:
    """Connect to the first address that accepts a connection.

    Raises the error of the last address if none does.
    """
    failure: Exception = httpcore.ConnectError(f"{host} has no address")
    for address in addresses:
        try:
            return await connect(address)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            failure = error
    raise failure


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """A network backend that connects to allowed addresses only.

    Raises ForbiddenAddress for a name if any of its addresses is not allowed.
    """

    def __init__(self, *, allowed: Sequence[Network], resolve: Resolve):
        self._allowed = allowed
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await resolved(self._resolve, host, port, timeout)
        for address in addresses:
            check_address(address, host=host, allowed=self._allowed)
        connect = functools.partial(
            self._inner.connect_tcp, port=port, timeout=timeout, local_address=local_address, socket_options=socket_options
        )
        return await connected(host, addresses, connect)

    async def connect_unix_socket(self, *_arguments: object, **_more: object) -> httpcore.AsyncNetworkStream:
        raise httpcore.UnsupportedProtocol("Unix sockets are not reached from here")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class BackendTransport(httpx.AsyncBaseTransport):
    """An HTTP/1.1 transport over a given network backend.

    It is built from httpcore's public parts so that no proxy can interfere.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend, *, max_connections: int, max_keepalive: int):
        # The certificate variables of OpenSSL are honoured; proxy variables are ignored.
        tls = tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=max_connections,
            max_keepalive_connections=max_keepalive,
            keepalive_expiry=5.0,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path)
        with _as_httpx(request):
            response = await self._pool.handle_async_request(
                httpcore.Request(request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions)
            )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response, request), extensions=response.extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


class CheckedTransport(BackendTransport):
    """An HTTP/1.1 transport that connects to allowed addresses only."""

    def __init__(self, *, allowed: Sequence[Network], resolve: Resolve = system_resolve):
        super().__init__(CheckedBackend(allowed=allowed, resolve=resolve), max_connections=100, max_keepalive=10)


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, request: httpx.Request):
        self._response, self._request = response, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx(self._request):
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with _as_httpx(self._request):
            await self._response.aclose()


@contextlib.contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """Convert httpcore errors in the `with` block to the equivalent httpx errors."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        twin: type[httpx.TransportError] = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise twin(str(error) or type(error).__name__, request=request) from error
