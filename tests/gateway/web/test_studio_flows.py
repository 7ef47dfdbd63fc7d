"""Every operation that the studio offers has a flow in the browser tests."""

import re

from gateway.web.routes import FOLDER
from reelwright import ROOMS
from tests.studio.flows import FLOWS


def test_every_offered_operation_has_a_flow() -> None:
    hidden = re.search(r"export const VIEWS = new Set\(\[(.*?)\]\)", (FOLDER / "clip/tool_list.js").read_text())
    assert hidden, "the operations that the list of tools leaves out"
    views = set(re.findall(r'"([^"]+)"', hidden[1]))
    declared = {operation.name for room in ROOMS for operation in room.service.operations}
    assert views < declared
    assert {flow.tool for flow in FLOWS.values()} == (declared - views) | {"pipelines"}
