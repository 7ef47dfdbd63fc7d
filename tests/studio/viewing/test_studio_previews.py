"""Previews that the server has deleted: the page makes them anew, or says that they are gone."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import TOOL, until, until_known
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
LATER = """
  window.laterMs = 0;
  const now = Date.now;
  Date.now = () => now() + window.laterMs;
"""
"""JavaScript that moves the page's clock forward, to simulate a page left open."""
READ_AGAIN = "(selector) => { document.querySelector(selector).src += '?again'; }"
AGAIN = re.compile(r"\?again$")
SHOWS_PREVIEW = "document.querySelector('video.made')?.readyState >= 2"


def asked(page: Any, pattern: str) -> list[dict[str, Any]]:
    """Return a list that grows with the jobs that the page starts.

    `pattern`: pattern of the requests' URLs.
    """
    jobs: list[dict[str, Any]] = []

    def note(route: Any) -> None:
        response = route.fetch()
        if route.request.method == "POST":
            jobs.append(response.json())
        route.fulfill(response=response)

    page.route(pattern, note)
    return jobs


def delete(studio: Restartable, job: dict[str, Any]) -> None:
    """Delete an ended preview with its files, as the server does after an hour."""
    studio.suite.wait(job["id"])
    studio.suite.client.delete(f"{job['urls']['self']}?outputs=true").raise_for_status()


def lose(page: Any, selector: str) -> None:
    """Make a video read its deleted file, as browsers do after a long pause.

    Other previews may share the file on the server, so the page gets its 404 from here.
    """
    page.route(AGAIN, lambda route: route.fulfill(status=404))
    page.evaluate(READ_AGAIN, selector)


def previewed(page: Any) -> None:
    """Press Preview, and wait until the preview is shown."""
    page.locator(".action-bar").get_by_role("button", name="Preview", exact=True).click()
    until(page, SHOWS_PREVIEW)


def of_slot(jobs: list[dict[str, Any]], slot: str) -> list[dict[str, Any]]:
    return [job for job in jobs if job["preview"]["slot"] == slot]


@pytest.mark.parametrize("is_early", [False, True], ids=["after-an-hour", "early"])
def test_a_preview_that_is_gone_is_made_anew(open_page: Opener, studio: Restartable, is_early: bool) -> None:
    page = open_page(refusals=("404",))
    page.add_init_script(LATER)
    page.reload()
    jobs = asked(page, "**/v1/media/transcode/jobs")
    page.evaluate(f"location.hash = '#/clip/{SAMPLE_ID}/{TOOL}'")
    previewed(page)
    previewed(page)
    page.wait_for_timeout(500)
    assert len(of_slot(jobs, "tool")) == 1, "the same preview is not made twice"
    if is_early:
        delete(studio, of_slot(jobs, "tool")[0])
    else:
        page.evaluate("window.laterMs = 3600e3")
    page.locator(".action-bar").get_by_role("button", name="Preview", exact=True).click()
    until_known(page, lambda: len(of_slot(jobs, "tool")) == 2, "another preview")


def test_a_preview_that_is_lost_while_it_is_shown_says_so(open_page: Opener, studio: Restartable) -> None:
    page = open_page(refusals=("404",))
    jobs = asked(page, "**/v1/media/transcode/jobs")
    page.evaluate(f"location.hash = '#/clip/{SAMPLE_ID}/{TOOL}'")
    previewed(page)
    delete(studio, of_slot(jobs, "tool")[0])
    lose(page, "video.made")
    page.get_by_text("The server has deleted this preview. Press Preview to make it again.").wait_for()
    previewed(page)


def test_a_card_makes_its_lost_preview_anew(open_page: Opener, studio: Restartable) -> None:
    page = open_page(refusals=("404",))
    jobs = asked(page, "**/v1/media/transcode/jobs")
    page.evaluate(f"location.hash = '#/clip/{SAMPLE_ID}/{TOOL}'")
    shown = "document.querySelector('.preset-card video')?.readyState >= 2"
    until(page, shown)
    slot = next(job["preview"]["slot"] for job in jobs if job["preview"]["slot"].startswith("card"))
    delete(studio, of_slot(jobs, slot)[0])
    lose(page, ".preset-card video")
    until_known(page, lambda: len(of_slot(jobs, slot)) == 2, "a second request for the card's preview")
    until(page, shown)
