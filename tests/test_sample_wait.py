"""`wait_for_samples`, which waits until a started suite has its sample media."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import wait_for_samples


def test_missing_samples_fail_with_the_log() -> None:
    client = SimpleNamespace(get=lambda _path: SimpleNamespace(is_success=False))
    stub: Any = SimpleNamespace(client=client, log=["the disk is full\n"])
    with pytest.raises(pytest.fail.Exception, match="the log:\nthe disk is full"):
        wait_for_samples(stub, 0.2)
