"""`GET /v1/models` on a running suite."""

import httpx
from fastapi import FastAPI

from gateway.models import known_models
from gateway.routing.upstream import Upstreams
from shared.models.catalog.table import CATALOG
from shared.settings import Settings
from shared.testing import RunningSuite


def test_models_are_listed_with_licence_and_install_command(running: RunningSuite):
    answer = running.client.get("/v1/models")
    assert answer.status_code == 200
    models = {model["name"]: model for model in answer.json()}
    assert list(models) == [model.name for model in CATALOG]
    lama = models["lama"]
    assert (lama["installed"], lama["install"], lama["commercial_use"]) == (False, "reelwright models pull lama", True)
    assert lama["files"][0]["checksum"] == "md5:e3aa4aaa15225a33ec84f9f4bc47e500"
    assert lama["files"][0]["url"].startswith("https://")
    assert models["rmbg-2.0"] | {"files": []} == running.client.get("/v1/models/rmbg-2.0").json() | {"files": []}
    assert models["rmbg-2.0"]["gated"]
    assert not models["rmbg-2.0"]["commercial_use"]
    assert models["transnetv2"]["installed"]
    assert models["transnetv2"]["install"] is None


def test_an_unknown_model_is_a_404(running: RunningSuite):
    answer = running.client.get("/v1/models/gpt")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-model")


def test_a_missing_model_is_refused_with_its_install_command(running: RunningSuite, clip):
    body = {"inputs": {"video": running.upload(clip)["id"]}, "params": {"scorer": "nima", "model": "mobilenet-aesthetic"}}
    for verb in ("check", "jobs"):
        answer = running.client.post(f"/v1/aesthetics/best-frames/{verb}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/model-missing")
        assert answer.json()["detail"].endswith("Run: reelwright models pull nima-mobilenet-aesthetic")


def test_openapi_describes_the_models_routes(running: RunningSuite):
    document = running.client.get("/openapi.json").json()
    assert "/v1/models" in document["paths"]
    assert "/v1/speed-ramp/models" not in document["paths"]
    assert running.client.get("/v1/speed-ramp/models").json() == []


async def test_a_service_reports_the_models_of_its_own_folder(tmp_path):
    # In containers, the gateway may lack the packages and the model files.
    app = FastAPI()

    @app.get("/models")
    async def models() -> list[dict]:
        known = {model.name: model for model in await known_models(Upstreams({}), Settings(models_dir=tmp_path), "public")}
        return [known["lama"].model_dump() | {"installed": True, "install": None}]

    def client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url="http://background", transport=transport)

    async def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down")

    upstreams = Upstreams({"background": client(httpx.ASGITransport(app)), "matting": client(httpx.MockTransport(refuse))})
    rows = {model.name: model for model in await known_models(upstreams, Settings(models_dir=tmp_path), "public")}
    assert rows["lama"].installed
    assert not rows["sd15-inpainting"].installed
    assert len(rows) == len(CATALOG)
    await upstreams.close()
