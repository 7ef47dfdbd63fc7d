"""Fixture `client` for PerfectFrameAI's request tests: it posts to a gateway over HTTP.

A pytest plugin of `perfectframe_requests.py`. REELWRIGHT_URL is the gateway's address.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

EXTRACTION_TIMEOUT_S = 1800
"""Longest extraction. The first one converts the network."""


class Client:
    """A client whose requests return only after the extraction has ended.

    The test client of the original does so, too.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def post(self, path: str, json: dict[str, Any]) -> httpx.Response:
        """Start an extraction; return the gateway's answer after the extraction has ended."""
        answer = self._http.post(path, json=json)
        deadline = time.monotonic() + EXTRACTION_TIMEOUT_S
        while answer.is_success and self._http.get("/v2/status").json()["active_extractor"] is not None:
            assert time.monotonic() < deadline, "the extraction does not end"
            time.sleep(0.2)
        return answer


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """Open a client of the gateway."""
    with httpx.Client(base_url=os.environ["REELWRIGHT_URL"], timeout=120, trust_env=False) as http:
        yield Client(http)
