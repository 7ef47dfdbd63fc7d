"""What a user does while the studio waits for an answer.

The user goes elsewhere, presses twice, or adds a file again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import PATIENCE_S, TOOL, HeldRequests, release, until, until_known
from tests.studio.conftest import Restartable
from tests.studio.library.test_studio_library import own_copy

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
RAMP, TRAILS = "speed-ramp.render", "effects.motion-trails"

WATCH_URLS = """
  sessionStorage.setItem("reelwright-api-key", "any");  // without keys, the server ignores it
  window.heldUrls = new Map();
  const [make, release] = [URL.createObjectURL, URL.revokeObjectURL];
  URL.createObjectURL = (blob) => { const url = make(blob); window.heldUrls.set(url, blob.type); return url; };
  URL.revokeObjectURL = (url) => { window.heldUrls.delete(url); release(url); };
"""
CAN_MAKE = "[...document.querySelectorAll('button')].some((button) => button.textContent.trim().startsWith('Make it') && !button.disabled)"
HELD_VIDEOS = "[...window.heldUrls.values()].filter((type) => type.startsWith('video')).length"


def go(page: Any, hash_: str) -> None:
    page.evaluate("(hash) => { location.hash = hash; }", hash_)


def ended(studio: Restartable, operation: str, **params: Any) -> str:
    """Run an operation on the sample clip.

    Returns the id of the ended job.
    """
    job = studio.suite.wait(studio.suite.start(operation, {"video": SAMPLE_ID}, params)["id"], timeout_s=PATIENCE_S)
    return str(job["id"])


def test_a_late_answer_does_not_replace_what_was_opened_since(open_page: Opener, studio: Restartable, clip: Path, tmp_path: Path) -> None:
    first, second = ended(studio, TOOL), ended(studio, "speed-ramp.analyze")
    own = studio.suite.upload(own_copy(clip, tmp_path / "late.mp4"))
    page = open_page()
    page.route("**/v1/media?limit=200", lambda route: route.fulfill(json={"items": [], "next_cursor": None}))  # no medium is known
    page.reload()
    held: list[Any] = []
    for address in (f"**/v1/jobs/{first}", f"**{own['urls']['self']}"):
        page.route(address, lambda route: held.append(route))
    heading = page.get_by_role("heading", level=1)
    for late, opened, title in (
        (f"job/{first}", f"job/{second}", "Motion and curve"),
        (f"clip/{own['id']}", f"clip/{SAMPLE_ID}", "sample.mp4"),
    ):
        go(page, f"#/{late}")
        page.locator(".viewer-area.loading").wait_for()
        until_known(page, lambda: held, f"a request for {late}")
        go(page, f"#/{opened}")
        heading.filter(has_text=title).wait_for()
        release(held)
        held.clear()
        page.wait_for_timeout(1000)
        assert heading.inner_text() == title


def test_a_late_answer_moves_nobody_who_has_gone_on(open_page: Opener, studio: Restartable) -> None:
    pictures = ended(studio, "aesthetics.extract-frames")
    stopped = studio.suite.start(RAMP, {"video": SAMPLE_ID}, {"curve": [{"t": 0, "speed": 0.1}], "interpolation": "flow"})
    studio.suite.client.post(stopped["urls"]["cancel"])
    studio.suite.wait(stopped["id"])
    page = open_page()
    held: list[Any] = []

    def hold(route: Any) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    for address, tile, name, pattern, notice, shown in (
        (f"clip/{SAMPLE_ID}/{TOOL}", "", "Make it", "**/v1/media/transcode/jobs", "Your job is started.", "job"),
        (f"pipelines?clip={SAMPLE_ID}", "", "Make it", "**/v1/pipelines/jobs", "Your job is started.", "job"),
        (f"job/{stopped['id']}", "", "Retry", "**/retry", "Your job is started again.", "job"),
        (f"job/{pictures}", ".picture-tile", "Continue with this", "**/files/**", " is in your library.", "clip"),
    ):
        go(page, f"#/{address}")
        if tile:
            page.locator(tile).first.click()
        button = page.locator("dialog" if tile else ".panel, .action-bar").get_by_role("button", name=name).first
        button.wait_for()
        page.route(pattern, hold)
        button.click()
        until_known(page, lambda: held, f"a request of {address}")
        go(page, "#/")
        page.locator(".media-card").first.wait_for()
        release(held)
        card = page.locator(".notice-card", has_text=notice)
        card.wait_for()
        assert page.evaluate("location.hash") == "#/"
        card.get_by_role("button", name="Show").click()
        until(page, f"location.hash.startsWith('#/{shown}/')")
        page.unroute(pattern)
        held.clear()


@pytest.mark.parametrize("is_refused", [True, False], ids=["refused", "made"])
def test_a_late_preview_is_not_shown_at_another_tool(open_page: Opener, studio: Restartable, is_refused: bool) -> None:
    made = studio.suite.client.get(f"/v1/jobs/{ended(studio, TRAILS, duration=0.5)}").json()
    page = open_page(refusals=("422",))
    held: list[Any] = []

    def hold(route: Any) -> None:
        if '"preview_slot":"tool"' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route(f"**/v1/{TRAILS.replace('.', '/')}/jobs", hold)
    checks = HeldRequests(page, f"**/v1/{TOOL.replace('.', '/')}/check")  # an answer would remove a refusal that is shown
    go(page, f"#/clip/{SAMPLE_ID}/{TRAILS}")
    page.get_by_role("button", name="Preview", exact=True).click()
    until_known(page, lambda: held, "the request of the preview")
    go(page, f"#/clip/{SAMPLE_ID}/{TOOL}")  # "Change" in the drawer, of a job on this clip
    page.get_by_role("heading", name="Convert and trim").wait_for()
    if is_refused:
        held[0].fulfill(status=422, json={"title": "No", "detail": "Refused late."})
    else:
        held[0].fulfill(status=201, json=made)
    page.wait_for_timeout(3000)
    assert not page.get_by_text("Refused late.").count()
    assert not page.get_by_role("button", name="Original", exact=True).count()
    checks.release()


def test_the_ramp_plays_once_however_often_play_is_pressed(open_page: Opener) -> None:
    page = open_page()
    held = HeldRequests(page, "**/proxy/frames")  # the page asks again while the proxy is made
    go(page, f"#/clip/{SAMPLE_ID}/{RAMP}")
    play = page.get_by_role("button", name="Play the ramp")
    play.click()
    play.click()
    page.get_by_text("Preparing the preview…", exact=False).wait_for()
    page.wait_for_timeout(1000)
    assert len(held.routes) == 1
    held.release()
    page.get_by_role("button", name="Stop", exact=True).wait_for()


def test_a_result_waits_for_the_declarations_that_tell_its_clip(open_page: Opener, studio: Restartable) -> None:
    job = ended(studio, TOOL)
    page = open_page()
    held = HeldRequests(page, "**/v1/operations")
    page.goto(f"{studio.suite.url}/#/job/{job}")
    page.reload()
    until_known(page, lambda: held.routes, "the page asks for the operations")
    page.wait_for_timeout(1000)  # the job and its record are read meanwhile
    held.release()
    page.get_by_role("button", name="Difference").wait_for()


THREE_PRESSES = """(button) => { for (const delay of [0, 60, 150, 400]) setTimeout(() => button.click(), delay); }"""
"""JavaScript that presses a button like an impatient user."""


def started(page: Any, pattern: str, *, dropped: int = 0, previews: bool = False) -> set[str]:
    """Return a set that grows with the page's requests to start jobs.

    A request that the browser dropped is repeated with its key and counts once. Previews, such as those of a tool's cards, have no keys and
    count only if `previews` is true. `pattern`: that of the requests' URLs; `dropped`: number of requests that are lost.
    """
    posted: set[str] = set()
    sent: list[Any] = []

    def note(route: Any) -> None:
        if not previews and (route.request.post_data_json or {}).get("preview"):
            route.continue_()
            return
        sent.append(route)
        posted.add(route.request.headers.get("idempotency-key") or str(len(sent)))
        if len(sent) <= dropped:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(pattern, note)
    return posted


@pytest.mark.parametrize("dropped", [0, 1], ids=["answered", "dropped"])
@pytest.mark.parametrize(
    ("address", "pattern"),
    [(f"#/clip/{SAMPLE_ID}/{TOOL}", "**/v1/media/transcode/jobs"), (f"#/pipelines?clip={SAMPLE_ID}", "**/v1/pipelines/jobs")],
    ids=["tool", "pipeline"],
)
def test_one_press_of_many_starts_one_job(open_page: Opener, address: str, pattern: str, dropped: int) -> None:
    page = open_page(address, refusals=("ERR_CONNECTION_RESET",) if dropped else ())
    held = HeldRequests(page, "**/result/result.js")  # the next screen takes a while
    until(page, CAN_MAKE)
    posted = started(page, pattern, dropped=dropped)
    make = page.get_by_role("button", name="Make it")
    make.evaluate(THREE_PRESSES)
    until(page, "location.hash.startsWith('#/job/')")
    make.evaluate(THREE_PRESSES)
    page.wait_for_timeout(1500)
    assert len(posted) == 1
    page.go_back()  # the screen is still the same, and the button is on again
    until(page, CAN_MAKE)
    page.go_forward()
    held.release()
    page.locator(".result").wait_for()


def test_one_press_of_many_starts_one_preview(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}")
    page.get_by_text("All steps are valid.").wait_for()
    posted = started(page, "**/v1/pipelines/jobs", previews=True)
    page.get_by_role("button", name="Preview", exact=True).evaluate(THREE_PRESSES)
    until_known(page, lambda: posted, "the preview is started")
    page.wait_for_timeout(1000)
    assert len(posted) == 1


def test_one_press_of_many_retries_once(open_page: Opener, studio: Restartable) -> None:
    slow = {"curve": [{"t": 0, "speed": 0.1}], "interpolation": "flow"}
    jobs = [studio.suite.start(RAMP, {"video": SAMPLE_ID}, slow | {"quality": quality}) for quality in (51, 52)]
    for job in jobs:
        studio.suite.client.post(job["urls"]["cancel"])
        studio.suite.wait(job["id"])
    page = open_page()
    posted = started(page, "**/retry")
    page.get_by_role("button", name="Jobs", exact=False).first.click()
    row = page.locator("job-row", has=page.locator(f'a[href="#/job/{jobs[0]["id"]}"]'))
    with page.expect_response("**/retry") as retried:
        row.get_by_role("button", name="Retry").evaluate(THREE_PRESSES)
    page.wait_for_timeout(1500)
    assert len(posted) == 1
    own = page.locator("job-row", has=page.locator(f'a[href="#/job/{retried.value.json()["id"]}"]'))
    own.get_by_role("button", name="Cancel").click()  # jobs of other tests may be unfinished, too
    until(page, "[...document.querySelectorAll('job-row button')].every(({ disabled }) => !disabled)")
    go(page, f"#/job/{jobs[1]['id']}")
    page.locator(".panel").get_by_role("button", name="Retry").evaluate(THREE_PRESSES)
    until(page, f"location.hash.startsWith('#/job/') && !location.hash.endsWith('{jobs[1]['id']}')")
    page.wait_for_timeout(1000)
    assert len(posted) == 2
    page.locator(".running-card").get_by_role("button", name="Cancel").click()
    page.get_by_text("Canceled. Its files were deleted.").wait_for()


def test_a_file_that_is_deleted_and_added_again_stays(open_page: Opener, studio: Restartable, clip: Path, tmp_path: Path) -> None:
    own = own_copy(clip, tmp_path / "again.mp4")
    record = studio.suite.upload(own)
    page = open_page()
    page.get_by_role("button", name="Delete again.mp4").click()
    page.get_by_text("again.mp4 deleted.").wait_for()
    page.locator("#file").set_input_files(own)
    page.get_by_text("again.mp4 is already in your library.", exact=False).wait_for()
    page.get_by_text("again.mp4 deleted.").wait_for(state="detached")
    page.wait_for_timeout(500)
    assert studio.suite.client.get(record["urls"]["self"]).status_code == 200
    go(page, "#/")
    page.locator(".media-card", has_text="again.mp4").wait_for()


def test_what_an_address_fills_in_is_changed_and_kept(open_page: Opener, studio: Restartable) -> None:
    jobs = [ended(studio, RAMP, curve=[{"t": 0, "speed": speed}]) for speed in (2, 4)]
    page = open_page(f"#/clip/{SAMPLE_ID}/{RAMP}?from={jobs[0]}")
    speed = page.locator(".point-bar").get_by_role("spinbutton", name="Speed")
    speed.wait_for()
    until(page, "document.querySelector('.point-bar input').value === '2'")
    speed.fill("3")
    speed.blur()
    until(page, "document.querySelector('.point-bar input').value === '3'")
    page.reload()
    until(page, "document.querySelector('.point-bar input')?.value === '3'")  # not the job's
    go(page, f"#/clip/{SAMPLE_ID}/{RAMP}?from={jobs[1]}")  # "Change" in the drawer, while the tool is open
    until(page, "document.querySelector('.point-bar input').value === '4'")
    page.go_back()
    until(page, f"location.hash === '#/clip/{SAMPLE_ID}/{RAMP}'")


def test_videos_fetched_with_a_key_are_released(open_page: Opener) -> None:
    page = open_page()
    page.add_init_script(WATCH_URLS)
    page.goto(page.url.split("#")[0] + f"#/clip/{SAMPLE_ID}/{TRAILS}")
    page.reload()
    page.locator(".preset-card video").first.wait_for(state="attached")
    assert page.evaluate(HELD_VIDEOS) >= 2, "the clip, and the preview of a card"
    go(page, "#/")
    page.locator(".media-card").first.wait_for()
    until(page, f"{HELD_VIDEOS} === 0")
