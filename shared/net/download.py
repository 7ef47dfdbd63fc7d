"""Downloads from URLs that users give.

Every redirect is checked, time and size are limited, and nothing is decoded.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import unquote

import httpx

from shared.errors import FetchFailed, ForbiddenAddress, Invalid
from shared.net.transport import CheckedTransport, Resolve, system_resolve
from shared.settings import Settings

MAX_REDIRECTS = 5
MAX_URL_CHARS = 4096
CONNECT_TIMEOUT_S, IDLE_TIMEOUT_S = 10.0, 30.0
CHUNK_BYTES = 256 * 1024


def checked_client(settings: Settings, *, resolve: Resolve = system_resolve) -> httpx.AsyncClient:
    """Create an HTTP client that connects only to allowed addresses.

    For URL fetches and webhooks; close it when done. It reaches only public addresses and `settings.url_allow_networks` (else
    ForbiddenAddress), follows no redirects, uses no proxy and keeps no cookies. Other failures are httpx's own errors.
    """
    return httpx.AsyncClient(
        transport=CheckedTransport(allowed=settings.url_allow_networks, resolve=resolve),
        timeout=httpx.Timeout(IDLE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        headers={"User-Agent": "Reelwright", "Accept": "*/*", "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a cookie of one user's fetch must not reach another user's
        follow_redirects=False,
        trust_env=False,
    )


def check_url(text: str) -> httpx.URL:
    """Parse an http(s) URL; refuse URLs with credentials.

    Raises Invalid or ForbiddenAddress.
    """
    if len(text) > MAX_URL_CHARS:
        raise Invalid(f"The URL has {len(text)} characters; the limit is {MAX_URL_CHARS}.")
    try:
        url = httpx.URL(text.strip())
        host = url.host  # decoded here: a name that begins with xn-- may be invalid
    except (httpx.InvalidURL, ValueError) as error:
        raise Invalid(f"{text[:200]!r} is not a URL: {error}.") from error
    if url.scheme not in ("http", "https"):
        raise ForbiddenAddress(f"{text[:200]!r} is refused: a URL must begin with http:// or https://.")
    if url.userinfo:
        raise ForbiddenAddress("A URL must not contain a user name or password: remove it.")
    if not host or not 0 < (80 if url.port is None else url.port) < 65536:
        raise Invalid(f"{text[:200]!r} has no valid host and port.")
    return url


@asynccontextmanager
async def fetch(
    client: httpx.AsyncClient, url: str, *, timeout_s: float, max_bytes: int
) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    """Open a URL; yield its file name and its bytes as they arrive.

    `client`: from `checked_client`. `timeout_s`: for all redirects and the whole body together. At most 5 redirects are followed. Raises
    Invalid (no URL), ForbiddenAddress (at any redirect) and FetchFailed (unreachable, too slow, too large, an error status), the last also
    while the bytes are read.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    address = check_url(url)
    response: httpx.Response | None = None
    try:
        for _ in range(MAX_REDIRECTS + 1):
            async with _limits(address, deadline, timeout_s):
                response = await client.send(client.build_request("GET", address), stream=True)
            if response.next_request is None:
                break
            address = check_url(str(response.next_request.url))
            await response.aclose()
        else:
            raise FetchFailed(f"{url} redirects more than {MAX_REDIRECTS} times.")
        _check_answer(response, address, max_bytes)
        yield _name(response, address), _body(response, address, deadline, timeout_s, max_bytes)
    finally:
        if response is not None:
            await response.aclose()


async def _body(response: httpx.Response, url: httpx.URL, deadline: float, timeout_s: float, max_bytes: int) -> AsyncIterator[bytes]:
    total, chunks = 0, response.aiter_raw(CHUNK_BYTES)
    while True:
        async with _limits(url, deadline, timeout_s):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        total += len(chunk)
        if total > max_bytes:
            raise FetchFailed(f"{url} is larger than {max_bytes} bytes, the limit (REELWRIGHT_MAX_UPLOAD_BYTES).")
        yield chunk


@asynccontextmanager
async def _limits(url: httpx.URL, deadline: float, timeout_s: float) -> AsyncIterator[None]:
    """Limit the time of the `with` block; turn its failures into FetchFailed.

    Those failures are timeouts and network errors.
    """
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as error:
        raise FetchFailed(f"{url} took longer than {timeout_s:g} s, the limit (REELWRIGHT_URL_TIMEOUT_S).") from error
    except httpx.TimeoutException as error:
        raise FetchFailed(f"{url} did not answer in time ({type(error).__name__}).") from error
    except (httpx.TransportError, httpx.StreamError) as error:
        raise FetchFailed(f"{url} could not be fetched: {str(error).rstrip('.')}.") from error


def _check_answer(response: httpx.Response, url: httpx.URL, max_bytes: int) -> None:
    if response.status_code != 200:
        raise FetchFailed(f"{url} answered {response.status_code} {response.reason_phrase}, not 200.")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise FetchFailed(f"{url} sent its file compressed ({encoding}), which was not requested.")
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise FetchFailed(f"{url} has {length} bytes; the limit is {max_bytes} (REELWRIGHT_MAX_UPLOAD_BYTES).")


def _name(response: httpx.Response, url: httpx.URL) -> str:
    header = Message()
    header["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    named = None
    with suppress(TypeError, ValueError, IndexError, LookupError):  # the standard library's parser fails on some malformed headers
        named = header.get_filename()
    return named or unquote(url.path.rpartition("/")[2]) or url.host
