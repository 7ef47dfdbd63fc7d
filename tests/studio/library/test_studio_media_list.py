"""The library's list: few requests, search, filters, size, names, deletion.

Search and filters cover all of it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from PIL import Image

from benchmarks.material.formats import format_clips
from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID
from tests.studio.acting import PATIENCE_S, until
from tests.studio.conftest import Restartable
from tests.studio.library.test_studio_library import own_copy

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
COUNT = 450
ROUNDS = 3


class LongList:
    """A fake server with COUNT media.

    It counts the requests for each page of the list.
    """

    def __init__(self, page: Any, sample: dict[str, Any]) -> None:
        self.tag, self.reads = '"first"', dict[str, int]()
        self._records = [
            sample | {"id": f"{number:026}", "name": f"clip-{number}.mp4", "source": "upload"} for number in range(COUNT, 0, -1)
        ]
        self._records = [record | {"id": record["id"].replace("0", "1", 1)} for record in self._records]
        page.route("**/v1/media?limit=200*", self._answer)

    def _answer(self, route: Any) -> None:
        cursor = parse_qs(urlparse(route.request.url).query).get("cursor", [""])[0]
        self.reads[cursor] = self.reads.get(cursor, 0) + 1
        rest = [record for record in self._records if not cursor or record["id"] < cursor]
        following = rest[199]["id"] if len(rest) > 200 else None
        route.fulfill(json={"items": rest[:200], "next_cursor": following}, headers={"ETag": self.tag})


def refresh(page: Any, rounds: int) -> None:
    """Let the page refresh its lists `rounds` times."""
    for _ in range(rounds):
        with page.expect_response("**/v1/jobs?limit=30"):
            page.evaluate("document.querySelector('studio-app').store.hurry()")


def test_media_of_one_name_are_told_apart(open_page: Opener, studio: Restartable, tmp_path: Path) -> None:
    ids = []
    for level in (40, 200):
        Image.new("RGB", (64, 36), (level, level, level)).save(tmp_path / "twin scene.png")
        ids.append(studio.suite.upload(tmp_path / "twin scene.png")["id"])
    job = studio.suite.wait(studio.suite.start("media.transcode", {"video": SAMPLE_ID}, {"quality": 33})["id"])
    made = job["outputs"]["video"]
    page = open_page()
    for number, name in enumerate(("twin scene.png", "twin scene.png (2)")):
        card = page.locator("media-card", has=page.locator(f'a[href="#/clip/{ids[number]}"]'))
        card.wait_for()
        assert card.locator(".name").inner_text() == name
    assert studio.suite.client.patch(made["urls"]["self"], json={"name": "media-transcode-for-mum.mp4"}).is_success
    page.reload()
    card = page.locator("media-card", has=page.locator(f'a[href="#/clip/{made["id"]}"]'))
    card.wait_for()
    assert card.locator(".name").inner_text() == "media-transcode-for-mum.mp4", "the user's name, though it begins as the server's do"
    draft = json.dumps({"params": {}, "inputs": {"alpha": SAMPLE_MATTE_ID, "background": ids[0], "plate": ids[1]}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {SAMPLE_ID} background.composite", draft])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}/background.composite")
    page.get_by_role("tab", name="Python", exact=True).click()
    page.locator(".code-block pre", has_text='background="twin scene.png"').wait_for()
    page.locator(".code-block pre", has_text='plate="twin scene.png (2)"').wait_for()
    page.evaluate("(hash) => { location.hash = hash; }", f"#/pipelines?clip={SAMPLE_ID}")
    page.get_by_role("button", name="Empty your own steps").click()
    page.get_by_label("Add a step").select_option("background.composite")
    menu = page.get_by_label("Background", exact=False).first
    assert [menu.locator(f'option[value="{id_}"]').first.inner_text() for id_ in ids] == ["twin scene.png", "twin scene.png (2)"]


@pytest.mark.brief
def test_later_pages_are_read_when_needed_only(open_page: Opener, studio: Restartable) -> None:
    page = open_page()
    long = LongList(page, studio.suite.client.get(f"/v1/media/{SAMPLE_ID}").json())
    page.reload()
    page.get_by_text("200+ items", exact=False).wait_for()
    refresh(page, ROUNDS)
    assert list(long.reads) == [""], "no later page is read before the user scrolls"
    assert long.reads[""] > ROUNDS
    page.locator("media-card", has_text="clip-251.mp4").scroll_into_view_if_needed()
    page.get_by_text("400+ items", exact=False).wait_for()
    page.get_by_label("Search names").fill("clip-7.mp4")
    page.locator("media-card", has_text="clip-7.mp4").wait_for()
    page.get_by_text(f"{COUNT} items", exact=False).wait_for()
    later = {cursor: count for cursor, count in long.reads.items() if cursor}
    assert list(later.values()) == [1, 1]
    refresh(page, ROUNDS)
    assert {cursor: count for cursor, count in long.reads.items() if cursor} == later, "nothing changed: nothing is read again"
    long.tag = ""  # the server has none while media change
    refresh(page, ROUNDS)
    assert {cursor: count for cursor, count in long.reads.items() if cursor} == later, "later pages wait for the end of the changes"
    assert page.evaluate("document.querySelector('studio-app').store.shownMedia.length") >= COUNT
    long.tag = '"second"'
    refresh(page, ROUNDS)
    assert {cursor: count for cursor, count in long.reads.items() if cursor} == dict.fromkeys(later, 2), "once for one change"


def test_the_used_space_is_what_the_server_stores(open_page: Opener, studio: Restartable, clip: Path, tmp_path: Path) -> None:
    suite = studio.suite
    suite.wait(
        suite.start("keyframes.detect", {"video": suite.upload(own_copy(clip, tmp_path / "used.mp4"))["id"]})["id"], timeout_s=PATIENCE_S
    )
    page = open_page()
    page.get_by_role("radio", name="Files").check()
    page.locator("media-card .file-kind", has_text="html").first.wait_for()  # outputs that are no pictures are listed, too
    until(page, "document.querySelector('studio-app').store.used !== null")
    folder = studio.data_dir / "media" / "public"
    stored = f"document.querySelector('studio-app').store.used.bytes === {sum(path.stat().st_size for path in folder.glob('*/content.*'))}"
    until(page, stored)
    shown = page.evaluate("document.querySelector('.library-bar h1').textContent")
    assert " used" in shown
    figure, unit = shown.split(" used")[0].split()[-2:]
    used = page.evaluate("document.querySelector('studio-app').store.used.bytes")
    assert float(figure) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit] == pytest.approx(used, rel=0.01)


def test_media_are_found_by_what_they_are(open_page: Opener, studio: Restartable, tmp_path: Path) -> None:
    files = format_clips(tmp_path)
    names = {
        files[name]: words
        for name, words in (("hdr10.mp4", ["HDR", "no sound"]), ("rotated.mp4", ["vertical"]), ("ten-bit.mp4", ["10-bit"]))
    }
    for path in names:
        studio.suite.upload(path)
    page = open_page()
    for path, words in names.items():
        page.get_by_label("Search names").fill("")
        card = page.locator("media-card", has_text=path.name).first
        for word in words:
            assert word in card.locator(".tags").inner_text().split(" · ")
            page.get_by_label("Search names").fill(f"{word.lower()} {path.stem}")
            card.wait_for()
            until(page, f"[...document.querySelectorAll('.cards .name')].every((name) => name.textContent === {path.name!r})")
    page.get_by_label("Search names").fill("no such clip")
    page.get_by_text("Nothing matches.").wait_for()
    page.get_by_role("button", name="Clear the search").click()
    page.locator("media-card").first.wait_for()


def test_a_name_and_a_deletion_reach_the_server(open_page: Opener, studio: Restartable, clip: Path, tmp_path: Path) -> None:
    record = studio.suite.upload(own_copy(clip, tmp_path / "unnamed.mp4"))
    page = open_page()
    page.get_by_role("button", name="Rename unnamed.mp4").click()
    page.get_by_label("New name").fill("never kept.mp4")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Rename unnamed.mp4").click()
    page.get_by_label("New name").fill("named.mp4")
    page.keyboard.press("Enter")
    page.locator("media-card", has_text="named.mp4").wait_for()
    address = record["urls"]["self"]
    until(page, f"fetch('{address}').then((answer) => answer.json()).then(({{ name }}) => name === 'named.mp4')")
    page.get_by_role("button", name="Delete named.mp4").click()
    page.locator("media-card", has_text="named.mp4").wait_for(state="detached")
    assert studio.suite.client.get(address).status_code == 200, "it can be undone so far"
    page.get_by_role("button", name="Undo").click()
    page.locator("media-card", has_text="named.mp4").wait_for()
    page.get_by_role("button", name="Delete named.mp4").click()
    page.get_by_role("button", name="Dismiss").click()
    until(page, f"!document.querySelector('studio-app').store.media.has('{record['id']}')")
    assert studio.suite.client.get(address).status_code == 404
