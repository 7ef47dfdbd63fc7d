"""Every operation that the studio offers has a flow in the browser tests."""

from gateway.pipelines.presets.table import PRESETS
from reelwright import ROOMS
from tests.studio.flows.flows import FLOWS


def test_every_offered_operation_has_a_flow() -> None:
    tools = {operation.name for room in ROOMS for operation in room.service.operations if operation.is_tool}
    assert tools
    assert {flow.tool for flow in FLOWS.values()} == tools | {"pipelines"}


def test_looks_have_places_and_pipelines_that_exist() -> None:
    looks = [operation.look for room in ROOMS for operation in room.service.operations if operation.look]
    assert sorted(look.place for look in looks) == list(range(1, len(looks) + 1))
    assert {look.pipeline for look in looks if look.pipeline} <= {preset.name for preset in PRESETS}
