"""JSON request bodies, and bodies that only resemble JSON."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from shared.errors import ReelwrightError
from shared.http.json_route import MAX_JSON_BYTES, JsonRoute, parse
from shared.http.problems import problem_response


class Body(BaseModel):
    value: object = None


@pytest.fixture
def client() -> httpx.AsyncClient:
    router = APIRouter(route_class=JsonRoute)

    @router.post("/")
    async def echo(body: Body | None = None) -> Body:
        return body or Body(value="nothing came")

    app = FastAPI()
    app.include_router(router)

    @app.exception_handler(ReelwrightError)
    async def refused(request: object, error: ReelwrightError) -> object:
        return problem_response(error)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


async def test_json_reaches_the_route_unchanged(client):
    assert (await client.post("/", json={"value": ["é", 1, None]})).json() == {"value": ["é", 1, None]}
    assert (await client.post("/")).json() == {"value": "nothing came"}


@pytest.mark.parametrize(
    "text",
    [
        '{"value": NaN}',
        '{"value": -Infinity}',
        '{"value": "\\ud800"}',
        '{"value": ' + "[" * 300 + "]" * 300 + "}",
        "{",
        "[1,]",
        b'"\xff"',
        '{"value": 1, "value": 2}',
    ],
)
async def test_values_that_json_cannot_represent_are_refused(client, text):
    answer = await client.post("/", content=text, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")
    assert "not valid JSON" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
async def test_json_under_another_name_is_refused(client, kind):
    answer = await client.post("/", content='{"value": 1}', headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/ld+json"])
def test_content_types_of_json_are_accepted(kind):
    assert parse(b"[]", kind) == []


async def test_an_endless_body_is_refused(client):
    sent = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_JSON_BYTES // 2**20 + 5):
            sent.append(1)
            yield b" " * 2**20

    answer = await client.post("/", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert str(MAX_JSON_BYTES) in answer.json()["detail"]
