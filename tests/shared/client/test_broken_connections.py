"""The client with a server that breaks connections, answers 503, or is down."""

import json
from collections.abc import Callable

import httpx
import pytest

from shared.client import AsyncReelwright, Refused, Unreachable
from shared.client.uploads import PIECE_BYTES

Answer = Callable[[httpx.Request], httpx.Response]


def client_of(answer: Answer, *, patience_s: float = 5.0) -> AsyncReelwright:
    return AsyncReelwright("http://suite", patience_s=patience_s, transport=httpx.MockTransport(answer))


async def test_a_broken_upload_continues_where_it_broke(tmp_path):
    (tmp_path / "clip é.mp4").write_bytes(content := bytes(range(256)) * (PIECE_BYTES // 256 * 2 + 1))
    stored = bytearray()
    broken: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["tus-resumable"] == "1.0.0"
        if request.method == "POST":
            assert request.headers["upload-metadata"] == "filename Y2xpcCDDqS5tcDQ="
            return httpx.Response(201, headers={"Location": "/v1/uploads/u"})
        if request.method == "PATCH":
            assert int(request.headers["upload-offset"]) == len(stored)
            if len(broken) < 2:
                broken.append(len(stored))
                stored.extend(request.content[:1000])
                raise httpx.ReadError("the server was killed")
            stored.extend(request.content)
        done = {"Reelwright-Media-Id": "m"} if len(stored) == len(content) else {}
        return httpx.Response(204, headers={"Upload-Offset": str(len(stored))} | done)

    sent: list[int] = []
    async with client_of(answer) as client:
        with pytest.raises(KeyError):  # the record is not served here
            await client.upload(tmp_path / "clip é.mp4", on_bytes=lambda offset, _size: sent.append(offset))
    assert bytes(stored) == content
    assert broken == [0, 1000]
    assert sent == sorted(sent)
    assert sent[-1] == len(content)


async def test_a_broken_stream_of_events_continues_after_the_last_event():
    requests: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request.headers["last-event-id"])
        match len(requests):
            case 1:
                return httpx.Response(200, text='id: 1\nevent: progress\ndata: {"fraction": 0.5}\n\n: still here\n\nid: 2\nevent: prog')
            case 2:
                raise httpx.ConnectError("restarting")
            case 3:
                return httpx.Response(503, json={"type": "/problems/unavailable", "detail": "starting"})
            case 4:
                return httpx.Response(429, json={"type": "/problems/quota-exceeded", "detail": "slow"}, headers={"Retry-After": "1"})
        return httpx.Response(200, text="id: 2\nevent: succeeded\ndata: {}\n\n")

    async with client_of(answer) as client:
        events = [(event.number, event.kind) async for event in client.follow("job")]
    assert events == [(1, "progress"), (2, "succeeded")]
    assert requests == ["0", "1", "1", "1", "1"]


async def test_only_safe_requests_are_repeated():
    attempts: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        attempts.append(request)
        if request.url.path == "/health":
            return httpx.Response(200, json={})
        if len(attempts) == 1:
            raise httpx.ReadError("broken")
        if len(attempts) == 2:
            return httpx.Response(429, json={"type": "/problems/queue-full", "detail": "full"}, headers={"Retry-After": "0"})
        return httpx.Response(200, json={"attempts": len(attempts)})

    async with client_of(answer) as client:
        await client.get("/health")
        attempts.clear()
        assert await client.post("/v1/x/y/jobs", {}, idempotency_key="k") == {"attempts": 3}
        assert {request.headers["idempotency-key"] for request in attempts} == {"k"}
        attempts.clear()
        with pytest.raises(Unreachable, match="does not answer: broken"):
            await client.post("/v1/media/from-url", {"url": "http://a"})
        assert len(attempts) == 1


async def test_a_missing_model_and_an_absent_server_are_errors():
    def without_model(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, content=json.dumps({"type": "/problems/model-missing", "detail": "Run: reelwright models pull x"}))

    async with client_of(without_model) as client:
        with pytest.raises(Refused, match="models pull x"):
            await client.get("/v1/jobs")

    attempts: list[str] = []

    def away(request: httpx.Request) -> httpx.Response:
        attempts.append(request.url.path)
        if request.url.path == "/health" and len(attempts) > 1:
            return httpx.Response(200, json={})
        raise httpx.ConnectError("refused")

    async with client_of(away, patience_s=0.6) as client:
        with pytest.raises(Unreachable):
            await client.get("/health")
        assert len(attempts) == 1  # it has never answered: the address may be wrong
        await client.get("/health")
        with pytest.raises(Unreachable):
            await client.get("/v1/jobs")
        assert attempts.count("/v1/jobs") == 2


async def test_a_broken_download_asks_for_the_rest(tmp_path):
    content = b"0123456789"
    record = {
        **{"id": "m", "name": "clip.mp4", "kind": "video", "content_type": "video/mp4", "bytes": 10, "sha256": "0" * 64},
        **{"created_at": "2026-01-01T00:00:00Z", "expires_at": None, "source": "upload", "media": None},
    }
    ranges: list[str | None] = []

    async def half() -> object:
        yield content[:4]
        raise httpx.ReadError("broken")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/media/m":
            return httpx.Response(200, json=record)
        ranges.append(request.headers.get("range"))
        if len(ranges) == 1:
            return httpx.Response(200, content=half())
        return httpx.Response(206, content=content[4:])

    async with client_of(answer) as client:
        path = await client.download("m", tmp_path / "out.mp4")
    assert path.read_bytes() == content
    assert ranges == [None, "bytes=4-"]
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]
