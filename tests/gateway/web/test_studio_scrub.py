"""Scrubbing with a mouse or a finger: taps, moves to the side, and moves that scroll the page."""

from typing import Any

import pytest

from tests.gateway.web.studio_script import Script

CALL = """(() => {
  const calls = [];
  const scrub = new Scrub({ press: ({ clientX }) => calls.push(`press ${clientX}`), drag: ({ clientX }) => calls.push(`drag ${clientX}`) });
  for (const [name, clientX, clientY] of events) scrub[name]({ pointerType, clientX, clientY, buttons: name === "up" ? 0 : 1 });
  return calls;
})()"""
DOWN = ["down", 100, 50]


@pytest.fixture(scope="module")
def script() -> Script:
    return Script("common/scrub.js")


@pytest.mark.parametrize(
    ("pointer", "events", "calls"),
    [
        ("mouse", [DOWN, ["move", 101, 50], ["up", 101, 50]], ["press 100", "drag 101"]),
        ("touch", [DOWN, ["move", 101, 52], ["up", 101, 52]], ["press 101"]),
        ("touch", [DOWN, ["move", 110, 52], ["move", 111, 90], ["up", 111, 90]], ["drag 110", "drag 111"]),
        ("touch", [DOWN, ["move", 103, 70], ["cancel", 0, 0]], []),
        ("touch", [DOWN, ["move", 103, 90], ["up", 103, 90]], []),
        ("touch", [DOWN, ["cancel", 0, 0], DOWN, ["up", 100, 50]], ["press 100"]),
        ("pen", [DOWN, ["up", 100, 50]], ["press 100"]),
    ],
    ids=["mouse", "tap", "sideways", "scrolls", "up-and-down", "tap-after-scrolling", "pen"],
)
def test_a_finger_scrubs_only_sideways(script: Script, pointer: str, events: list[Any], calls: list[str]) -> None:
    assert script(CALL, pointerType=pointer, events=events) == calls


def test_a_hovering_mouse_does_not_scrub(script: Script) -> None:
    assert script(CALL.replace("? 0 : 1", "? 0 : 0"), pointerType="mouse", events=[["move", 120, 50]]) == []
