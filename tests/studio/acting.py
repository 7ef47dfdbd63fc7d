"""Use of the studio by mouse, touch or keyboard alone."""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

Way = Literal["mouse", "touch", "keyboard"]
PATIENCE_S = 200
"""Longest wait, in seconds. A busy machine needs minutes for what a quiet one does in seconds.

`.ci/run` stops its browser tests after 300 s; a test that waited longer could not say for what."""
MOST_TABS = 400
DRAG_STEPS = 6
HIDING_SHEET = """(element) => {
  const handle = document.querySelector("sheet-handle");
  if (!handle?.checkVisibility()) return false;
  const isRaised = handle.querySelector("button").getAttribute("aria-expanded") === "true";
  return isRaised ? Boolean(element.closest("[inert]")) : handle.parentElement.querySelector(".panel").contains(element);
}"""
"""JavaScript: whether the bottom sheet covers an element, or contains it while lowered. Narrow screens have such a sheet."""
TOOL = "media.transcode"  # the lightest operation that makes a video


def violations_of(page: Any) -> list[str]:
    """Return the accessibility violations that axe finds on the page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    violations = axe.run(page).response["violations"]
    return [f"{violation['id']}: {node['html'][:200]}" for violation in violations for node in violation["nodes"]]


def fits_the_width(page: Any) -> bool:
    """Return whether no part of the page lies beyond its right edge."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def until(page: Any, expression: str, seconds: float = PATIENCE_S) -> None:
    """Wait until a JavaScript expression is true.

    Playwright's own wait needs `eval`, which the page's policy forbids.
    """
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not true after {seconds:g} s: {expression}"
        page.wait_for_timeout(100)


def until_known(page: Any, test: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Wait until `test()` is true, while the page keeps running.

    `what`: the awaited condition in words.
    """
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, f"not after {seconds:g} s: {what}"
        page.wait_for_timeout(50)


def release(routes: Sequence[Any]) -> None:
    """Let the requests `routes`, which a test held back, continue.

    Playwright reports an open request as an error in a later test.
    """
    for route in routes:
        with contextlib.suppress(Exception):  # its page has been reloaded
            route.continue_()


class HeldRequests:
    """Requests of a page that a test holds back until `release`."""

    def __init__(self, page: Any, pattern: str) -> None:
        self.routes: list[Any] = []
        self._is_open = False
        page.route(pattern, self._take)

    def _take(self, route: Any) -> None:
        if self._is_open:
            route.continue_()
        else:
            self.routes.append(route)

    def release(self) -> None:
        """Let the held requests and all later ones continue."""
        self._is_open = True
        release(self.routes)


class Hand:
    """A user's hand on a page: mouse, touch or keyboard."""

    def __init__(self, page: Any, way: Way) -> None:
        self.page, self.way = page, way

    def uncover(self, target: Any) -> None:
        """Raise or lower the bottom sheet if it hides `target`."""
        target.wait_for(state="attached")
        if not target.evaluate(HIDING_SHEET):
            return
        handle = self.page.locator("sheet-handle button")
        if self.way == "keyboard":
            self._tab_to(handle)
            self.page.keyboard.press("Enter")
        else:
            handle.click() if self.way == "mouse" else handle.tap()
        target.wait_for()

    def reach(self, target: Any) -> None:
        """Move the keyboard focus to a control with the Tab key."""
        self.uncover(target)
        self._tab_to(target)

    def _tab_to(self, target: Any) -> None:
        target.wait_for()
        for _ in range(MOST_TABS):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}")

    def press(self, target: Any, key: str = "Enter") -> None:
        """Press a button or link."""
        self.uncover(target)
        if self.way == "mouse":
            target.click()
        elif self.way == "touch":
            target.tap()
        else:
            self._tab_to(target)
            self.page.keyboard.press(key)

    def check(self, radio: Any) -> None:
        """Choose a radio button. With the keyboard, arrow keys lead to it from the chosen button of its group."""
        if self.way != "keyboard":
            self.press(radio)
            return
        self.uncover(radio)
        group = self.page.locator(f'input[name="{radio.get_attribute("name")}"]')
        self._tab_to(group.and_(self.page.locator(":checked")))
        for _ in range(group.count()):
            if not radio.is_checked():
                self.page.keyboard.press("ArrowRight")
        assert radio.is_checked()

    def choose(self, menu: Any, label: str) -> None:
        """Select an option of a menu.

        Browsers draw an open menu outside of the page, so only its value can be set.
        """
        self.uncover(menu)
        if self.way == "keyboard":
            self._tab_to(menu)
        menu.select_option(label=label)

    def fill(self, field: Any, value: str) -> None:
        """Type `value` into a field and leave the field."""
        self.uncover(field)
        if self.way == "keyboard":
            self._tab_to(field)
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.type(value)
            self.page.keyboard.press("Tab")
        else:
            field.fill(value)
            field.blur()

    def files(self, opener: Any, *paths: Path) -> None:
        """Choose files in the file dialog that `opener` opens."""
        with self.page.expect_file_chooser() as waiting:
            self.press(opener)
        waiting.value.set_files(list(paths))

    def download(self, opener: Any, folder: Path) -> Path:
        """Press a download button; return the saved file."""
        with self.page.expect_download() as waiting:
            self.press(opener)
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    def drag(self, start: Sequence[float], end: Sequence[float]) -> None:
        """Drag by mouse or finger between two points, in CSS pixels."""
        places = [[a + (b - a) * step / DRAG_STEPS for a, b in zip(start, end, strict=True)] for step in range(DRAG_STEPS + 1)]
        if self.way == "mouse":
            self.page.mouse.move(*places[0])
            self.page.mouse.down()
            for place in places[1:]:
                self.page.mouse.move(*place)
            self.page.mouse.up()
            return
        session = self.page.context.new_cdp_session(self.page)
        for kind, touched in [("touchStart", places[0]), *(("touchMove", place) for place in places[1:]), ("touchEnd", None)]:
            points = [] if touched is None else [{"x": touched[0], "y": touched[1]}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.detach()


def middle_of(target: Any) -> tuple[float, float]:
    """Return the centre of an element in CSS pixels."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
