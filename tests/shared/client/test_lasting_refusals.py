"""Distinction of temporary refusals, after which clients and pipelines repeat the request."""

import pytest

from shared.errors import Conflict, ModelMissing, QueueFull, QuotaExceeded, ReelwrightError, TooManyRequests, Unavailable, may_pass


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (QueueFull("full"), True),
        (TooManyRequests("too many", headers={"Retry-After": "3"}), True),
        (Unavailable("starting"), True),
        (QuotaExceeded("three jobs run", headers={"Retry-After": "5"}), True),
        (QuotaExceeded("10 MB are stored"), False),
        (ModelMissing("no weights"), False),
        (Conflict("exists"), False),
    ],
)
def test_a_full_store_and_a_missing_model_do_not_pass(error: ReelwrightError, passes: bool) -> None:
    assert may_pass(error.problem(), error.status, error.headers.get("Retry-After")) is passes
