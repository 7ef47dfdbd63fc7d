"""Downloads from a real loopback server, under names of a fake resolver."""

import asyncio
import contextlib
import ipaddress
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from shutil import which

import httpx
import pytest

from shared.errors import FetchFailed, ForbiddenAddress, Invalid, ReelwrightError
from shared.net.download import check_url, checked_client, fetch
from shared.settings import Settings

Page = Callable[[asyncio.StreamWriter], Awaitable[None]]
# On Linux all of 127/8 is this machine. One address is allowed to the client, the other is not.
GOOD, BAD = "127.0.0.1", "127.0.0.2"


class Resolver:
    """A resolver that maps names to given addresses.

    A list of lists gives another answer for each query.
    """

    def __init__(self, **names: list[list[str]]):
        self.names = names
        self.hosts: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.hosts.append(host)
        answers = self.names.get(host.removesuffix(".test"))
        if answers is None:
            try:
                return [str(ipaddress.ip_address(host))]
            except ValueError:
                raise OSError("no such name") from None
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextlib.asynccontextmanager
async def server(pages: dict[str, Page], *, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """Run a server on all of 127/8.

    Yields its port and its requests. `pages`: the answer for each path.
    """
    requests: list[str] = []
    answering: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        answering.add(task)
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            requests.append(request)
            await pages[request.split()[1]](writer)
            await writer.drain()

    listening = await asyncio.start_server(answer, "0.0.0.0", 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1], requests
    finally:
        listening.close()
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)


def page(*parts: bytes, status: str = "200 OK", wait_s: float = 0, **headers: str) -> Page:
    async def write(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), "Connection: close"]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(wait_s)

    return write


def redirect(target: str) -> Page:
    return page(status="302 Found", Location=target, Content_Length="0")


def client(resolver: Resolver | None = None) -> httpx.AsyncClient:
    settings = Settings(url_allow_networks=f"{GOOD}/32")  # type: ignore[arg-type]  # a string, as the environment gives it
    return checked_client(settings, resolve=resolver or Resolver(good=[[GOOD]], bad=[[BAD]]))


async def get(http: httpx.AsyncClient, url: str, *, timeout_s: float = 5, max_bytes: int = 1000) -> tuple[str, bytes]:
    async with fetch(http, url, timeout_s=timeout_s, max_bytes=max_bytes) as (name, chunks):
        return name, b"".join([chunk async for chunk in chunks])


async def test_a_file_is_named_after_its_address_and_the_request_names_the_host() -> None:
    async with server({"/a/my%20clip.mp4?x=1": page(b"abc", b"def")}) as (port, requests), client() as http:
        assert await get(http, f"http://good.test:{port}/a/my%20clip.mp4?x=1#part") == ("my clip.mp4", b"abcdef")
    assert f"Host: good.test:{port}".lower() in requests[0].lower()
    assert "accept-encoding: identity" in requests[0].lower()


async def test_the_server_may_name_the_file() -> None:
    pages = {
        "/1": page(b"", Content_Disposition="attachment; filename*=UTF-8''T%C3%A4nzer.mp4"),
        "/2": page(b"", Content_Disposition="a;;="),
        "/3": page(b"", Content_Disposition="a=;filename*0;filename*"),
    }
    async with server(pages) as (port, _), client() as http:
        assert (await get(http, f"http://good.test:{port}/1"))[0] == "Tänzer.mp4"
        assert (await get(http, f"http://good.test:{port}/2"))[0] == "2"
        assert (await get(http, f"http://good.test:{port}/3"))[0] == "3"


async def refused(http: httpx.AsyncClient, url: str) -> None:
    """Check that a fetch is refused with an error that hides the resolved address."""
    with pytest.raises(ForbiddenAddress, match=r"not public|loopback") as caught:
        await get(http, url)
    assert BAD in url or BAD not in caught.value.detail


async def test_a_forbidden_address_gets_no_connection() -> None:
    async with server({}) as (port, requests), client(Resolver(bad=[[BAD]], mixed=[[GOOD, BAD]])) as http:
        for host in ("bad.test", "mixed.test", BAD, "[::1]", "127.0.0.3"):
            await refused(http, f"http://{host}:{port}/")
    assert requests == []


@pytest.mark.parametrize("host", ["localhost", "127.2", "0x7f.0.0.2", "2130706434", "0177.0.0.2", "[::ffff:127.0.0.1]", "[::]"])
async def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    # The system's own resolver accepts the tested spellings.
    async with checked_client(Settings()) as http:
        with pytest.raises(ReelwrightError, match=r"not public|loopback|IPv4-mapped|unspecified|has no address|Invalid IPv4"):
            await get(http, f"http://{host}:9/")


async def test_every_redirect_is_checked() -> None:
    async with server({}) as (target, requests):
        pages = {"/": redirect("/next"), "/next": redirect(f"http://bad.test:{target}/secret")}
        async with server(pages) as (port, _), client() as http:
            await refused(http, f"http://good.test:{port}/")
    assert requests == []


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name with changing addresses is resolved once per connection."""
    async with server({"/": page(b"ok")}) as (port, _):
        resolver = Resolver(rebind=[[GOOD], [BAD]])
        async with client(resolver) as http:
            assert (await get(http, f"http://rebind.test:{port}/"))[1] == b"ok"
            assert resolver.hosts == ["rebind.test"]
            await refused(http, f"http://rebind.test:{port}/")


async def test_redirects_are_followed_up_to_five_times() -> None:
    pages = {f"/{number}": redirect(f"/{number + 1}") for number in range(6)} | {"/6": page(b"end")}
    async with server(pages) as (port, _), client() as http:
        assert (await get(http, f"http://good.test:{port}/1"))[1] == b"end"
        with pytest.raises(FetchFailed, match="more than 5 times"):
            await get(http, f"http://good.test:{port}/0")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://good.test/x", "http://user:secret@good.test/", "gopher://good.test/"])
async def test_a_redirect_leads_to_plain_web_addresses_only(target: str) -> None:
    async with server({"/": redirect(target)}) as (port, _), client() as http:
        with pytest.raises(ForbiddenAddress):
            await get(http, f"http://good.test:{port}/")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("file:///etc/passwd", ForbiddenAddress),
        ("//good.test/x", ForbiddenAddress),
        ("clip.mp4", ForbiddenAddress),
        ("http://me:pass@good.test/", ForbiddenAddress),
        ("http:///x", Invalid),
        ("http://good.test:0/", Invalid),
        ("http://good.test:99999/", Invalid),
        ("http://[::1/", Invalid),
        ("http://good.test/\x00", Invalid),
        ("http://good.test/" + "x" * 5000, Invalid),
    ],
)
def test_an_invalid_address_is_refused(url: str, error: type[ReelwrightError]) -> None:
    with pytest.raises(error) as caught:
        check_url(url)
    assert "pass" not in caught.value.detail.removeprefix("A URL must not contain a user name or password").replace("/etc/passwd", "")


async def test_a_file_over_the_limit_is_refused_with_or_without_a_length() -> None:
    pages = {"/said": page(b"x" * 10, Content_Length="1001"), "/kept-quiet": page(*[b"x" * 100] * 11), "/just": page(*[b"x" * 100] * 10)}
    async with server(pages) as (port, _), client() as http:
        for path in ("said", "kept-quiet"):
            with pytest.raises(FetchFailed, match="1000"):
                await get(http, f"http://good.test:{port}/{path}")
        assert len((await get(http, f"http://good.test:{port}/just"))[1]) == 1000


async def test_the_time_limit_covers_the_whole_fetch() -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    pages = {"/drip": page(*[b"x"] * 100, wait_s=0.05), "/silent": silent, "/loop": redirect("/silent")}
    async with server(pages) as (port, _), client() as http:
        for path in ("drip", "silent", "loop"):
            started = time.monotonic()
            with pytest.raises(FetchFailed, match=r"0\.3 s"):
                await get(http, f"http://good.test:{port}/{path}", timeout_s=0.3)
            assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (page(status="404 Not Found"), "404 Not Found"),
        (page(status="206 Partial Content"), "206"),
        (page(b"\x1f\x8b", Content_Encoding="gzip"), "gzip"),
        (page(b"short", Content_Length="10"), "could not be fetched"),
        (page(status="nonsense"), "could not be fetched"),
        (redirect("http://[::1/"), "Invalid URL in location"),
    ],
)
async def test_answers_other_than_a_file_are_refused(page: Page, words: str) -> None:
    async with server({"/": page}) as (port, _), client() as http:
        with pytest.raises(FetchFailed, match=words):
            await get(http, f"http://good.test:{port}/")


async def test_an_unreachable_server_is_reported() -> None:
    async with client() as http:
        with pytest.raises(FetchFailed, match=r"nowhere\.test has no address"):
            await get(http, "http://nowhere.test/")
        with pytest.raises(FetchFailed):
            await get(http, "http://good.test:1/")


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server({"/": page(b"direct")}) as (port, _):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{BAD}:{port}/")
        async with client() as http:
            assert (await get(http, f"http://good.test:{port}/"))[1] == b"direct"


async def test_no_cookie_is_carried_to_another_fetch() -> None:
    async with server({"/": page(b"", Set_Cookie="session=1; Path=/")}) as (port, requests), client() as http:
        for _ in range(2):
            await get(http, f"http://good.test:{port}/")
    assert "cookie" not in requests[1].lower()


def certificate(folder: Path, name: str) -> Iterable[Path]:
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *subject,
         "-keyout", key, "-out", cert], check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.mark.skipif(which("openssl") is None, reason="makes its certificate with openssl")
async def test_a_certificate_is_checked_against_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = certificate(tmp_path, "good.test")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(cert, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    async with server({"/": page(b"safe")}, tls=tls) as (port, _), client(Resolver(good=[[GOOD]], other=[[GOOD]])) as http:
        assert (await get(http, f"https://good.test:{port}/"))[1] == b"safe"
        with pytest.raises(FetchFailed, match=r"other\.test"):
            await get(http, f"https://other.test:{port}/")
