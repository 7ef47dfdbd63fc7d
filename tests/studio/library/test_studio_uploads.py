"""Uploads: known bytes are not sent again; unfinished uploads continue.

They continue after a reload.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.studio.acting import Hand, release, until, violations_of
from tests.studio.library.test_studio_library import own_copy

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
SENDING = ("POST uploads", "PATCH uploads", "POST media")
LARGE_BYTES = 300_000_000  # hashed in parts


def sent_by(page: Any) -> list[str]:
    """Return a list that grows with the page's requests.

    An item is "METHOD path?query".
    """
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url.partition('/v1/')[2]}"))
    return sent


@pytest.mark.brief
def test_known_bytes_are_not_sent_again(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    page = open_page()
    own = own_copy(clip, tmp_path / "known.mp4")
    page.locator("#file").set_input_files(own)
    page.get_by_role("heading", name="known.mp4").wait_for()
    own.rename(tmp_path / "renamed.mp4")
    empty = {"items": [], "next_cursor": None}
    page.route("**/v1/media?limit=200", lambda route: route.fulfill(json=empty))  # the page does not know the medium
    page.goto(page.url.split("#")[0] + "#/")
    page.reload()
    page.get_by_role("button", name="Choose a clip").wait_for()
    sent = sent_by(page)
    page.locator("#file").set_input_files(tmp_path / "renamed.mp4")
    page.get_by_text("renamed.mp4 is already in your library as known.mp4.").wait_for()
    page.get_by_role("heading", name="known.mp4").wait_for()
    assert [request for request in sent if request.startswith("GET media/by-hash/")]
    assert [request for request in sent if request.startswith(SENDING)] == [], "no byte is sent"


def test_a_large_file_is_compared_in_parts_and_can_be_sent_at_once(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    own = own_copy(clip, tmp_path / "large.mp4")
    with own.open("ab") as file:
        file.truncate(LARGE_BYTES)
    page = open_page(refusals=("413",))
    record = page.evaluate("fetch('/v1/media?limit=1').then((answer) => answer.json())")["items"][0]
    page.route("**/v1/media?bytes=*", lambda route: route.fulfill(json={"items": [record], "next_cursor": None}))
    held: list[Any] = []
    page.route("**/v1/media/by-hash/**", lambda route: held.append(route))
    page.route("**/v1/uploads", lambda route: route.fulfill(status=413, json={"title": "Too large", "detail": "Full.", "status": 413}))
    page.locator("#file").set_input_files(own)
    row = page.locator(".upload", has_text="large.mp4")
    row.get_by_text("Comparing with the library…", exact=False).wait_for()
    until(page, "/ [1-9]\\d* %/.test(document.querySelector('.upload')?.textContent)")
    assert violations_of(page) == []
    row.get_by_role("button", name="Skip").click()
    row.get_by_text("Full.").wait_for()  # the answer to its bytes
    release(held)


def test_a_file_that_is_gone_is_not_tried_again(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    own = own_copy(clip, tmp_path / "gone.mp4", size=40_000_000)
    page = open_page(refusals=("ERR_",))
    tries: list[str] = []

    def lose(route: Any) -> None:
        tries.append(route.request.method)
        own.unlink(missing_ok=True)
        route.abort("connectionfailed")

    page.route("**/v1/uploads**", lose)
    page.locator("#file").set_input_files(own)
    page.get_by_text("gone.mp4 can no longer be read: it was changed, moved or deleted. Choose it again.").wait_for()
    assert tries == ["POST"]


def test_many_uploads_go_on_after_a_reload(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    files = [own_copy(clip, tmp_path / f"many-{number}.mp4", size=20_000_000 + number) for number in range(3)]
    page = open_page(refusals=("ERR_", "429"))
    held: list[Any] = []
    page.route("**/v1/uploads/*", lambda route: held.append(route))  # each file is begun, and its parts hang
    page.locator("#file").set_input_files(files)
    until(page, "Object.keys(JSON.parse(localStorage.getItem('reelwright-uploads') ?? '{}')).length === 2")  # two at a time
    page.reload()
    release(held)
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_text("Choose the same file again to continue.").nth(1).wait_for()
    full = {"title": "Quota exceeded", "detail": "Your media fill your quota.", "status": 429}
    page.route(
        "**/v1/uploads**", lambda route: route.fulfill(status=429, json=full) if route.request.method == "POST" else route.continue_()
    )
    sent = sent_by(page)
    offsets: list[int] = []
    page.on("request", lambda request: request.method == "PATCH" and offsets.append(int(request.headers["upload-offset"])))
    Hand(page, "mouse").files(page.get_by_role("button", name="Choose", exact=True).first, *files)
    page.locator("media-card", has_text="many-0.mp4").wait_for()
    page.locator("media-card", has_text="many-1.mp4").wait_for()
    assert sum(request == "POST uploads" for request in sent) == 1, "two went on, the third begins"
    assert len(offsets) >= 2
    page.get_by_text("Your media fill your quota.").wait_for()
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Retry", exact=True).click()
    page.locator("media-card", has_text="many-2.mp4").wait_for()
    assert page.locator(".upload").count() == 0


def test_files_that_cannot_succeed_offer_no_retry(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(refusals=("415", "422"))
    empty, damaged = tmp_path / "empty.mp4", tmp_path / "damaged.mp4"
    empty.write_bytes(b"")
    damaged.write_bytes(b"no video" * 500)
    page.locator("#file").set_input_files([empty, damaged])
    for file in (empty, damaged):
        row = page.locator(".upload", has_text=file.name)
        row.get_by_role("alert").wait_for()
        row.get_by_role("button", name=f"Remove {file.name}").wait_for()
    assert page.get_by_role("button", name="Retry", exact=False).count() == 0
