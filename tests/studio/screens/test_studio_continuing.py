"""Outputs of jobs as inputs of other tools, including single pictures of a set."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import PATIENCE_S, Hand, fits_the_width, until, violations_of
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
MAKERS: dict[str, dict[str, Any]] = {
    "aesthetics.extract-frames": {},
    "effects.strobe": {},
    "keyframes.detect": {},
    "speed-ramp.export": {},
}
"""Operations without a model whose outputs are of every listed kind -> params."""


def finished(studio: Restartable, operation: str) -> dict[str, Any]:
    """Run an operation on the sample clip; return the job."""
    return dict(
        studio.suite.wait(studio.suite.start(operation, {"video": SAMPLE_ID}, MAKERS.get(operation, {}))["id"], timeout_s=PATIENCE_S)
    )


@pytest.mark.brief
def test_every_output_that_a_tool_takes_can_be_continued_with(open_page: Opener, studio: Restartable) -> None:
    operations = studio.suite.client.get("/v1/operations").json()
    taken = {kind for operation in operations for port in operation["inputs"].values() for kind in port["kinds"]}
    page = open_page()
    kinds = set()
    for name in MAKERS:
        job = finished(studio, name)
        page.goto(page.url.split("#")[0] + f"#/job/{job['id']}")
        page.get_by_role("heading", name="Files").wait_for()
        for output, record in job["outputs"].items():
            kinds.add(record["kind"])
            file = page.locator(".files button.file-main", has_text=output.replace("_", " ").capitalize())
            if record["kind"] not in taken and not file.count():
                continue  # a file that can only be downloaded
            file.first.click()
            page.locator(f'.next a[href="{record["urls"]["download"]}"]').wait_for()
            assert page.locator(f'.next a[href="#/clip/{record["id"]}"]').count() == (record["kind"] in taken), (name, output)
    assert kinds == {"video", "image", "images", "html", "archive"}
    assert taken == {"video", "image", "images"}


def test_a_set_of_pictures_and_one_of_them_are_inputs(open_page: Opener, studio: Restartable) -> None:
    job = finished(studio, "aesthetics.extract-frames")
    record = job["outputs"]["images"]
    studio.suite.client.patch(f"/v1/media/{record['id']}", json={"name": "A name longer than a phone is wide, " * 4})
    page = open_page(f"#/job/{job['id']}", size="phone", refusals=("503",))  # the check of the matte needs a network
    hand = Hand(page, "touch")
    hand.press(page.get_by_role("link", name="Continue with this"))
    page.locator(".picture-tile").first.wait_for()
    page.get_by_role("button", name="Tools", exact=True).wait_for()  # there are no looks for pictures
    assert violations_of(page) == []
    assert fits_the_width(page)
    page.locator('a.chip[href$="matting.matte?as=masks"]').wait_for()
    hand.press(page.locator('a.chip[href$="/aesthetics.top-images"]'))
    hand.press(page.get_by_role("tab", name="curl", exact=True))
    page.locator(".code-block pre", has_text=f'"images":"{record["id"]}"').wait_for()
    page.go_back()
    hand.press(page.locator(".picture-tile").first)
    hand.press(page.get_by_role("dialog").get_by_role("button", name="Continue with this"))
    page.locator(".clip-title h1", has_text=".").wait_for()
    until(page, f"location.hash.startsWith('#/clip/') && !location.hash.includes('{record['id']}')")
    picture = page.evaluate("location.hash").rpartition("/")[2]
    assert studio.suite.client.get(f"/v1/media/{picture}").json()["kind"] == "image"
    hand.press(page.locator('a.chip[href$="background.composite?as=plate"]'))
    page.get_by_text("Choose the clip.", exact=False).wait_for()
    assert violations_of(page) == []
    assert fits_the_width(page)
    hand.press(page.locator(f'a.choice[href*="#/clip/{SAMPLE_ID}/"]'))
    hand.press(page.get_by_role("tab", name="curl", exact=True))
    page.locator(".code-block pre", has_text=f'"plate":"{picture}"').wait_for()
    page.reload()
    hand.press(page.get_by_role("tab", name="curl", exact=True))
    page.locator(".code-block pre", has_text=f'"plate":"{picture}"').wait_for()
