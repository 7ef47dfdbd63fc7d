"""One server of the misbehaving service, shared by tests that do not change it."""

from collections.abc import Iterator

import pytest

from tests.misbehaving.server import Server, serving_one


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two jobs at once, no keys."""
    with serving_one(tmp_path_factory.mktemp("misbehaving"), CONCURRENCY="2") as started:
        yield started
