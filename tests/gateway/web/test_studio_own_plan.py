"""Plans that the studio makes itself: they are exact only if nothing depends on the server."""

from typing import Any

import pytest

from reelwright import ROOMS
from shared.http.operations.description import describe
from tests.gateway.web.studio_script import Script

DECLARED = [describe(operation, room.service).model_dump(mode="json") for room in ROOMS for operation in room.service.operations]
RECORD = {"media": {"duration_s": 10.0, "constant_rate": "25/1", "frame_rate": "25/1", "audio": []}}
REFERENCE = {"from": "a.result.start_s"}


@pytest.fixture(scope="module")
def script() -> Script:
    return Script("ramp/own_plan.js", "base/declared.js", "ramp/ramp.js")


@pytest.mark.parametrize(
    ("params", "is_exact"),
    [
        ({}, True),
        ({"start": 2, "duration": 3}, True),
        ({"target_duration": 4}, False),
        ({"start": REFERENCE}, False),
        ({"duration": REFERENCE}, False),
    ],
)
def test_a_plan_with_times_of_another_step_is_not_exact(script: Script, params: dict[str, Any], is_exact: bool) -> None:
    plan = script("ownPlan([{ t: 0, speed: 1 }], { record, params, operations })", record=RECORD, params=params, operations=DECLARED)
    assert plan["isExact"] is is_exact
