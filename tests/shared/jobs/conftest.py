"""Fixtures of the job tests: one server of misbehaving operations, which the tests share."""

from collections.abc import Iterator

import pytest

from tests.misbehaving.server import Server, serving_one


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server that runs two jobs at once, without API keys."""
    with serving_one(tmp_path_factory.mktemp("misbehaving"), CONCURRENCY="2") as started:
        yield started
