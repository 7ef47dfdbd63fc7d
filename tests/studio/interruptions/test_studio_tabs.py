"""Several tabs of the studio: together they leave connections free, and each learns of all ends."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import until, until_known
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
SLOW = {"curve": [{"t": 0, "speed": 0.1}], "interpolation": "flow"}
MOST_STREAMS = 2
HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def open_streams(context: Any) -> set[Any]:
    """Return a set that holds the requests for events while they are open."""
    streams: set[Any] = set()
    context.on("request", lambda request: streams.add(request) if request.url.endswith("/events") else None)
    for ended in ("requestfinished", "requestfailed"):
        context.on(ended, lambda request: streams.discard(request))
    return streams


def slow_jobs(studio: Restartable) -> list[dict[str, Any]]:
    return [studio.suite.start("speed-ramp.render", {"video": SAMPLE_ID}, SLOW | {"quality": quality}) for quality in (41, 42)]


def status_is(job: dict[str, Any], *statuses: str) -> str:
    return f"{list(statuses)}.includes(document.querySelector('studio-app').store.jobs.get('{job['id']}')?.status)"


def test_tabs_share_the_streams_of_events(open_page: Opener, studio: Restartable) -> None:
    page = open_page()
    streams = open_streams(page.context)
    others = [page.context.new_page() for _ in range(3)]
    for other in others:
        other.goto(page.url)
    jobs = slow_jobs(studio)
    for tab in (page, *others):
        for job in jobs:
            until(tab, status_is(job, "queued", "running"))
    page.wait_for_timeout(2000)
    assert 1 <= len(streams) <= MOST_STREAMS
    for tab in (page, *others):
        assert tab.evaluate("fetch('/v1/operations').then(({ status }) => status)") == 200
    for job in jobs:
        studio.suite.client.post(job["urls"]["cancel"])
    for tab in (page, *others):
        for job in jobs:
            until(tab, status_is(job, "canceled"))


def test_a_hidden_tab_closes_its_streams(open_page: Opener, studio: Restartable) -> None:
    page = open_page()
    streams = open_streams(page.context)
    jobs = slow_jobs(studio)
    until_known(page, lambda: streams, "events are open")
    page.evaluate(HIDE, True)
    until_known(page, lambda: not streams, "events are closed")
    page.wait_for_timeout(1500)
    assert not streams
    page.evaluate(HIDE, False)
    until_known(page, lambda: streams, "events are open again")
    for job in jobs:
        studio.suite.client.post(job["urls"]["cancel"])
        until(page, status_is(job, "canceled"))
