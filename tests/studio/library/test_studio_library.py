"""The studio's library: many files, links, resumed uploads, names, deletion."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.file_origin import serving_files
from tests.studio.acting import TOOL, Hand, release, until, until_known, violations_of
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]


@pytest.mark.brief
def test_an_empty_library_shows_results_of_the_sample_clip(open_page: Opener, studio: Restartable) -> None:
    client = studio.suite.client
    for job in client.get("/v1/jobs?limit=200").json()["items"]:  # they hold their media
        client.delete(job["urls"]["self"])
    while others := [record for record in client.get("/v1/media?limit=200").json()["items"] if not record["id"].startswith("0" * 24)]:
        for record in others:
            client.delete(record["urls"]["self"])  # refused while a preview reads it
        time.sleep(0.3)
    page = open_page(size="phone")
    result = page.locator('.welcome-examples a[href^="#/job/"]').first
    result.wait_for()
    assert violations_of(page) == []
    assert "drop files" not in page.locator(".welcome-text").inner_text(), "a phone has nothing to drop"
    page.get_by_role("button", name="From a link").tap()
    page.get_by_label("Address of the file").wait_for()
    page.get_by_role("button", name="Cancel").tap()
    result.tap()
    page.get_by_role("link", name="Download", exact=True).first.wait_for()


def test_a_request_without_an_answer_is_repeated(open_page: Opener) -> None:
    page = open_page()
    held: list[Any] = []
    page.route("**/v1/jobs?*", lambda route: route.continue_() if held else held.append(route))
    page.reload()
    page.locator(".media-card").first.wait_for()
    assert held
    release(held)
    page.unroute_all(behavior="ignoreErrors")


def own_copy(clip: Path, path: Path, *, size: int = 0) -> Path:
    """Copy `clip` to `path` and append unique bytes.

    They do not matter to players; no other test uploads the same bytes.
    """
    path.write_bytes(clip.read_bytes() + str(path).encode() + b"\0" * size)
    return path


def test_dropped_files_are_added_found_named_and_skimmed(open_page: Opener, clip: Path, picture: Path, tmp_path: Path) -> None:
    page = open_page()
    files = {"clip on <b>&\"'.mp4": own_copy(clip, tmp_path / "one.mp4"), "disc.png": own_copy(picture, tmp_path / "two.png")}
    page.evaluate(
        """async (files) => {
          const transfer = new DataTransfer();
          for (const [name, bytes] of Object.entries(files)) transfer.items.add(new File([new Uint8Array(bytes)], name));
          window.transfer = transfer;
          document.body.dispatchEvent(new DragEvent("dragenter", { dataTransfer: transfer, bubbles: true }));
        }""",
        {name: list(path.read_bytes()) for name, path in files.items()},
    )
    page.get_by_text("Drop to add to your library").wait_for()
    page.evaluate("document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: window.transfer, bubbles: true, cancelable: true }))")
    own = page.locator("media-card", has_text="clip on <b>&\"'.mp4")
    own.wait_for()
    page.locator("media-card", has_text="disc.png").wait_for()
    page.get_by_text("used", exact=False).first.wait_for()
    own.locator(".picture").hover()
    own.locator("canvas").wait_for()  # frames under the pointer
    assert violations_of(page) == []
    own.get_by_role("button", name="Rename", exact=False).click()
    page.get_by_label("New name").fill("dancer.mp4")
    page.keyboard.press("Enter")
    page.get_by_label("Search names").fill("DANC")
    until(page, "document.querySelectorAll('.cards:first-of-type media-card').length === 1")
    page.get_by_label("Search names").fill("")
    page.get_by_role("radio", name="Pictures").check()
    page.locator("media-card", has_text="dancer.mp4").wait_for(state="detached")
    page.locator("media-card", has_text="disc.png").wait_for()


def test_a_clip_comes_from_a_link(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    page = open_page(refusals=("404", "422", "502"))
    page.get_by_role("button", name="From a link").click()
    with serving_files(linked=own_copy(clip, tmp_path / "linked.mp4")) as origin:
        page.get_by_label("Address of the file").fill(f"{origin.url}/nothing.mp4")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("alert").first.wait_for()
        assert violations_of(page) == []
        for host, reason in (("10.0.0.1", "10.0.0.1 is private"), ("[::1]", "::1 is loopback")):
            page.get_by_label("Address of the file").fill(f"http://{host}/linked.mp4")
            page.get_by_role("button", name="Add", exact=True).click()
            page.get_by_text(f"{reason}: only public addresses may be reached.", exact=False).wait_for()
        page.get_by_label("Address of the file").fill(f"{origin.url}/linked.mp4")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("heading", name="linked.mp4").wait_for()


@pytest.mark.usefixtures("studio")
@pytest.mark.brief
def test_an_upload_continues_after_a_reload(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    own = own_copy(clip, tmp_path / "reloaded.mp4", size=40_000_000)
    page = open_page(refusals=("ERR_",))
    sent: list[str] = []
    page.on("request", lambda request: request.method == "PATCH" and sent.append(request.headers["upload-offset"]))
    held: list[Any] = []
    page.route("**/v1/uploads/*", lambda route: route.continue_() if len(sent) < 2 else held.append(route))  # the second part hangs
    page.locator("#file").set_input_files(own)
    until(page, "Object.keys(JSON.parse(localStorage.getItem('reelwright-uploads') ?? '{}')).length === 1")
    until_known(page, lambda: len(sent) >= 2, "two parts of the file are sent")
    page.reload()
    release(held)
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_text("Choose the same file again to continue.").wait_for()
    assert violations_of(page) == []
    sent.clear()
    Hand(page, "mouse").files(page.get_by_role("button", name="Choose", exact=True), own)
    page.get_by_role("heading", name="reloaded.mp4").wait_for()
    assert int(sent[0]) > 0, "it went on where it was"


def test_failed_uploads_are_tried_again_together(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    page = open_page(refusals=("429",))
    full = {"title": "Quota exceeded", "detail": "Your media fill your quota.", "status": 429}
    page.route("**/v1/uploads", lambda route: route.fulfill(status=429, json=full))
    page.locator("#file").set_input_files([own_copy(clip, tmp_path / f"{number}.mp4") for number in range(3)])
    again = page.get_by_role("button", name="Retry all")
    again.wait_for()
    page.get_by_text("Your media fill your quota.").nth(2).wait_for()
    page.unroute_all()
    again.click()
    for number in range(3):
        page.locator("media-card", has_text=f"{number}.mp4").first.wait_for()


@pytest.mark.brief
def test_an_upload_survives_a_restart_of_the_server(open_page: Opener, studio: Restartable, clip: Path, tmp_path: Path) -> None:
    own = own_copy(clip, tmp_path / "long.mp4", size=40_000_000)
    page = open_page(refusals=("ERR_", "Failed to load", "503", "502"))
    page.locator("#file").set_input_files(own)
    page.get_by_text("of 40", exact=False).first.wait_for()
    studio.stop()
    page.get_by_text("The server does not answer", exact=False).wait_for()
    studio.start()
    page.get_by_role("heading", name="long.mp4").wait_for()


@pytest.mark.brief
def test_refusals_are_shown_where_they_belong(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(refusals=("415", "422"))
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a video")
    page.locator("#file").set_input_files(bad)
    alert = page.locator(".upload [role=alert]")
    alert.wait_for()
    assert "video" in alert.inner_text()
    page.get_by_role("button", name="Remove notes.mp4").click()
    page.goto(page.url.split("#")[0] + f"#/clip/{SAMPLE_ID}/{TOOL}")
    page.get_by_role("button", name="Make it").wait_for()
    page.evaluate("for (const section of document.querySelectorAll('details')) section.open = true")
    quality = page.get_by_label("Quality", exact=True).first
    quality.fill("101")
    quality.press("Tab")
    page.locator(".wrong .error").wait_for()
    assert "101" in page.locator(".wrong .error").inner_text()


def test_a_deletion_can_be_undone(open_page: Opener, studio: Restartable, clip: Path) -> None:
    studio.suite.upload(clip)
    page = open_page()
    page.get_by_role("button", name="Delete ball.mp4").first.click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Delete ball.mp4").first.wait_for()
