"""Every operation that the studio offers has a flow in the browser tests."""

from reelwright import ROOMS
from tests.studio.flows.flows import FLOWS


def test_every_offered_operation_has_a_flow() -> None:
    tools = {operation.name for room in ROOMS for operation in room.service.operations if operation.is_tool}
    assert tools
    assert {flow.tool for flow in FLOWS.values()} == tools | {"pipelines"}
