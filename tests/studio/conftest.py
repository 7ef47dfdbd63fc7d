"""Fixtures of the browser tests: Chromium, a page, and a restartable suite."""

import os
import shutil
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from shared.testing import RunningSuite, suite
from tests.conftest import wait_for_samples
from tests.studio.acting import PATIENCE_S, until_known

CHROMIUM = (
    os.environ.get("REELWRIGHT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
PATIENCE_MS = 1000 * PATIENCE_S
SETTINGS = {"PROBE_TIMEOUT_S": "90", "URL_ALLOW_NETWORKS": "127.0.0.0/8"}
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
MOST_RELOADS = 20
OPENED = pytest.StashKey[tuple[list[Any], list[str]]]()
"""Key of a test's browser contexts and its pages' console messages, for the report of its failure."""


class Restartable:
    """A suite at a fixed address that can be restarted on the same data."""

    def __init__(self, data_dir: Path, stack: ExitStack) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.data_dir, self._stack, self._running = data_dir, stack, ExitStack()
        stack.callback(lambda: self._running.close())
        self.start()

    @property
    def models(self) -> Path:
        """The folder of the suite's model weights; it is empty or missing."""
        return self.data_dir / "models"

    def start(self) -> None:
        """Start the suite."""
        self.suite: RunningSuite = self._running.enter_context(suite(self.data_dir, PORT=str(self._port), **SETTINGS))

    def stop(self) -> None:
        """Stop the suite."""
        self._running.close()


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restartable]:
    """Start a suite for the browser tests, with its samples."""
    with ExitStack() as stack:
        started = Restartable(tmp_path_factory.mktemp("studio"), stack)
        wait_for_samples(started.suite, timeout_s=PATIENCE_S)
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no chromium: install it, or set REELWRIGHT_CHROMIUM to its path")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"])
        yield opened
        opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the pages say to the report of a failed test."""
    report = yield
    contexts, messages = item.stash.get(OPENED, ([], []))
    if report.when == "call" and report.failed:
        pages = [page for context in contexts for page in context.pages]
        report.sections += [(f"page {page.url}", page.evaluate("document.body.innerText")) for page in pages]
        report.sections.append(("console of the pages", "\n".join(messages)))
    return report


@pytest.fixture
def open_page(browser: Any, studio: Restartable, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Return a function that opens the studio in a new browser profile.

    At the end, the page must have logged nothing but the answers that the test named in `refusals` (such as "422"), and that the machine's
    network changed, which other programs cause: the page tries again, once it runs.
    """
    messages: list[str] = []
    contexts: list[Any] = []
    request.node.stash[OPENED] = contexts, messages
    allowed: list[str] = [NETWORK_CHANGED]

    def has_run(page: Any) -> bool:
        return bool(page.locator("studio-app").count())

    def is_dropped() -> bool:
        return any(NETWORK_CHANGED in message for message in messages)

    def open_at(hash_: str = "", *, size: str = "desktop", scheme: str = "light", refusals: tuple[str, ...] = ()) -> Any:
        width, height = SIZES[size]
        is_touch = size != "desktop"
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=is_touch,
            is_mobile=is_touch,
            reduced_motion="reduce",
        )
        contexts.append(context)
        allowed.extend(refusals)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(f"error: {error}"))
        page.goto(f"{studio.suite.url}/{hash_}")
        for _ in range(MOST_RELOADS):
            until_known(page, lambda: has_run(page) or is_dropped(), "the page's modules have run or were dropped")
            if has_run(page):
                return page
            messages.clear()
            page.reload()
        raise AssertionError(f"the page's modules were dropped {MOST_RELOADS} times: {NETWORK_CHANGED}")

    yield open_at
    for context in contexts:
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")  # answers that a test held back end here, not in a later test
        context.close()
    assert [message for message in messages if not any(code in message for code in allowed)] == []
