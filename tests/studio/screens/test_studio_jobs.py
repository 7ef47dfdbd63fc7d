"""The studio's jobs: drawer, notices, and the state after a server restart."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import TOOL, until, violations_of
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
SLOW = {"curve": [{"t": 0, "speed": 0.1}], "interpolation": "flow"}
"""Params of a ramp that takes minutes: the test cancels it."""
NOTICES = """() => {
  window.shown = [];
  window.Notification = class { static permission = "default"; constructor(title) { window.shown.push(title); } };
  window.Notification.requestPermission = async () => (window.Notification.permission = "granted");
  Object.defineProperty(document, "visibilityState", { get: () => (window.isHidden ? "hidden" : "visible") });
}"""


def test_the_drawer_follows_cancels_and_repeats_jobs(open_page: Opener, studio: Restartable) -> None:
    jobs = [studio.suite.start("speed-ramp.render", {"video": SAMPLE_ID}, SLOW | {"quality": quality}) for quality in (41, 42, 43)]
    page = open_page()
    page.get_by_role("button", name="Jobs, 3 unfinished").click()
    drawer = page.get_by_role("complementary", name="Jobs")
    running, other, queued = (drawer.locator("li", has=page.locator(f'a[href="#/job/{job["id"]}"]')) for job in jobs)  # two run at once
    queued.get_by_text("Place 1 in the queue").wait_for()
    running.get_by_text("left", exact=False).wait_for()  # the time that is left
    assert "frames/s" in running.inner_text()
    until(page, "/^\\d+ % · /.test(document.title)")
    assert violations_of(page) == []
    for row in (queued, other, running):
        row.get_by_role("button", name="Cancel").click()
        row.get_by_text("Canceled").wait_for()
    until(page, "!document.title.includes('%')")
    running.get_by_role("button", name="Log").click()
    running.get_by_label("Log").wait_for()
    assert violations_of(page) == []
    queued.get_by_role("button", name="Retry").click()
    again = drawer.get_by_role("button", name="Cancel")
    again.click()
    again.wait_for(state="detached")
    running.get_by_role("link", name="Change").click()
    page.get_by_label("Speed", exact=False).first.wait_for()
    until(page, "document.querySelectorAll('.point').length === 1")  # its curve
    page.keyboard.press("Escape")


def test_a_notice_tells_the_end_of_a_job(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{TOOL}")
    page.evaluate(NOTICES)
    page.get_by_role("button", name="Jobs").click()
    page.get_by_role("button", name="Notify me").click()
    page.get_by_text("This browser will notify you when a job ends.").wait_for()
    page.get_by_role("button", name="Close the jobs").click()
    page.evaluate("() => { window.isHidden = true; }")
    page.get_by_role("button", name="Make it").click()
    until(page, "window.shown.length === 1")
    assert page.evaluate("window.shown[0]") == "Your result is ready"


@pytest.mark.brief
def test_a_job_survives_a_restart_of_the_server(open_page: Opener, studio: Restartable) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{TOOL}", refusals=("ERR_", "Failed to load", "503", "502"))
    page.get_by_label("Quality", exact=True).first.wait_for(state="attached")
    page.evaluate("for (const section of document.querySelectorAll('details')) section.open = true")
    page.get_by_label("Quality", exact=True).first.fill("37")  # a result that no other test made
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/#/job/*")
    studio.stop()
    page.get_by_text("The server does not answer", exact=False).wait_for()
    studio.start()
    page.locator(".state.succeeded").first.wait_for()
    page.get_by_role("link", name="Continue with this").wait_for()


def test_a_screen_whose_module_was_lost_appears_when_the_server_sends_it(open_page: Opener, studio: Restartable) -> None:
    job = studio.suite.wait(studio.suite.start("media.transcode", {"video": SAMPLE_ID}, {"quality": 36})["id"])
    page = open_page(refusals=("ERR_", "Failed to load", "503"))
    page.route("**/result/result.js", lambda route: route.abort())
    page.evaluate("(id) => { location.hash = `#/job/${id}`; }", job["id"])
    page.get_by_text("A part of this page could not be loaded.", exact=False).wait_for()
    page.unroute("**/result/result.js")
    page.get_by_role("link", name="Continue with this").wait_for()
