"""The flows of the studio, each from a chosen file to a downloaded result.

Most at three sizes, in both colour schemes, by mouse, touch and keyboard alone.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.studio.acting import Hand, Way, fits_the_width, until, violations_of
from tests.studio.conftest import Restartable
from tests.studio.flows.flows import FLOWS, Flow

pytestmark = [pytest.mark.flows, pytest.mark.timeout(900)]
LONGEST_JOB_MS = 600_000  # painting with a network takes minutes on a processor
Opener = Callable[..., Any]
RUNS = [(name, *setting) for name, flow in FLOWS.items() for setting in flow.settings]
CAN_MAKE = "[...document.querySelectorAll('button')].some((button) => button.textContent.trim().startsWith('Make it') && !button.disabled)"


@pytest.mark.parametrize(("name", "size", "scheme", "way"), RUNS)
def test_a_file_becomes_a_downloaded_result(
    open_page: Opener, studio: Restartable, clip: Path, tmp_path: Path, name: str, size: str, scheme: str, way: Way
) -> None:
    flow = FLOWS[name]
    page = open_page(size=size, scheme=scheme, refusals=flow.refusals)
    hand = Hand(page, way)
    own = tmp_path / "dance.mp4"
    own.write_bytes(clip.read_bytes() + b"dance")  # not the bytes of the sample; the later tests' file is recognised
    hand.files(page.locator("main button", has_text="clip").first, own)
    page.get_by_role("heading", name=own.name).wait_for()
    hand.press(page.locator(f'.chips a[href$="/{flow.tool}"], a.tool-link[href^="#/{flow.tool}"]').first)
    if flow.weights:
        install_weights(page, studio, flow)
    try:
        make_and_download(page, hand, flow, tmp_path)
    finally:
        if flow.weights:
            shutil.rmtree(studio.models, ignore_errors=True)


def install_weights(page: Any, studio: Restartable, flow: Flow) -> None:
    """Check the page's note about missing weights, write the weights, and reload the page."""
    note = page.get_by_text("This tool needs a model that is not installed.", exact=False)
    note.wait_for()
    assert "reelwright models pull" in note.inner_text()
    assert page.get_by_role("button", name="Make it").is_disabled()
    assert flow.weights is not None
    flow.weights(studio.models)
    page.reload()
    page.get_by_role("button", name="Make it").wait_for()
    assert not note.count()


def make_and_download(page: Any, hand: Hand, flow: Flow, folder: Path) -> None:
    """Make the result of a flow's tool, view it and download it."""
    flow.prepare(page, hand)
    assert violations_of(page) == []
    assert fits_the_width(page)
    page.reload()  # what was entered stays
    if flow.tool == "pipelines":
        flow.prepare(page, hand)
    until(page, CAN_MAKE)
    hand.press(page.get_by_role("button", name="Make it"))
    page.locator(".state.succeeded").first.wait_for(timeout=LONGEST_JOB_MS)
    flow.look(page, hand)
    assert violations_of(page) == []
    assert fits_the_width(page)
    if not flow.download:
        return
    opener = page.get_by_role("button" if flow.download == "Download these" else "link", name=flow.download, exact=True).first
    assert flow.is_right(hand.download(opener, folder))
