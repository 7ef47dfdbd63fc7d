"""Every address of the API refuses query parameters that it does not have."""

import re

from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite

OPEN = {"/health", "/ready", "/metrics"}
"""Addresses for load balancers and Prometheus, which may add parameters of their own."""
TUS = {"Tus-Resumable": "1.0.0"}


def test_every_address_refuses_unknown_query_parameters(running: RunningSuite) -> None:
    paths = running.client.get("/openapi.json").json()["paths"]
    requests = [(method, path) for path, methods in paths.items() for method in methods if method != "options" and path not in OPEN]
    assert len(requests) > 60
    accepted = {}
    for method, path in requests:
        body = {} if method in ("post", "put", "patch") else None
        url = re.sub(r"\{[^}]*\}", "7" * 26, path)
        answer = running.client.request(method.upper(), url, params={"limti": 3}, headers=TUS, json=body)
        if answer.status_code != 422 or (method != "head" and "limti" not in answer.text):
            accepted[f"{method} {path}"] = (answer.status_code, answer.text[:200])
    assert accepted == {}


def test_parameters_that_an_address_has_are_accepted(running: RunningSuite) -> None:
    media = f"/v1/media/{SAMPLE_ID}"
    assert running.client.get(f"{media}/content", params={"download": True}).status_code == 200
    assert running.client.get(f"{media}/frame", params={"n": 3}).status_code == 200
    assert running.client.head(f"{media}/frame", params={"n": 3}).status_code == 200
    assert running.client.get(f"{media}/frame", params={"n": 3, "width": 9}).json()["errors"] == [
        {"field": "width", "detail": "unknown query parameter"}
    ]


def test_options_and_the_studio_take_any_parameter(running: RunningSuite) -> None:
    assert running.client.request("OPTIONS", "/v1/uploads", params={"limti": 3}).headers["tus-version"] == "1.0.0"
    assert running.client.request("OPTIONS", "/v1/jobs", params={"limti": 3}).status_code < 300
    assert running.client.get("/", params={"from": "a-link"}).status_code == 200
