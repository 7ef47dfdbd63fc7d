"""The first page, as far as it can be seen without a browser: what is served, and that its parts fit together."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from media_app import serving

from gateway.app import PAGE, add_pages
from gateway.routing.upstream import Upstreams

FILES = sorted(Path(str(PAGE)).iterdir())
MODULES = [path for path in FILES if path.suffix == ".js"]
INDEX = (Path(str(PAGE)) / "index.html").read_text()
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
NAMESPACE = "http://www.w3.org/2000/svg"


class Outline(HTMLParser):
    """The elements of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline_scripts: list[str] = []
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline_scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    @property
    def ids(self) -> list[str]:
        return [found for _, attributes in self.elements if (found := attributes.get("id"))]


OUTLINE = Outline(INDEX)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    app = FastAPI(openapi_url="/openapi.json")
    add_pages(app, cast(Upstreams, SimpleNamespace(clients={})))
    with serving(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as started:
        yield started


def test_the_page_and_all_its_files_are_served_with_their_types_and_a_strict_policy(client: httpx.Client) -> None:
    for url, path in [("/", Path("index.html")), *((f"/page/{path.name}", path) for path in FILES)]:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert answer.headers["content-type"].startswith(TYPES[path.suffix]), url
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_file_outside_the_folder_is_not_served(client: httpx.Client) -> None:
    for url in ("/page/%2e%2e/app.py", "/page/..%2fapp.py", "/page/%2e%2e%2fapp.py", "/page/nothing.js"):
        assert client.get(url).status_code == 404, url


def test_a_page_that_has_not_changed_is_not_sent_again(client: httpx.Client) -> None:
    etag = client.get("/page/main.js").headers["etag"]
    assert client.get("/page/main.js", headers={"If-None-Match": etag}).status_code == 304


def test_nothing_is_inline_that_the_policy_forbids() -> None:
    assert OUTLINE.inline_scripts == []
    for tag, attributes in OUTLINE.elements:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")], (tag, attributes)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    found = re.findall(r"https?://[^\s\"'`)]+|[\"'(]//\w[^\s\"']*|@import[^;]*", path.read_text())
    assert [url for url in found if url != NAMESPACE] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_makes_markup_from_text(path: Path) -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|srcdoc"
    assert re.findall(markup, path.read_text()) == []


def test_ids_are_unique_and_every_one_that_a_module_looks_up_is_there() -> None:
    assert len(OUTLINE.ids) == len(set(OUTLINE.ids))
    looked_up = {found for path in MODULES for found in re.findall(r'byId\("([^"]+)"\)', path.read_text())}
    parts = re.search(r"const PARTS = \[(.*?)\]", (Path(str(PAGE)) / "job.js").read_text())
    assert parts is not None
    looked_up |= set(re.findall(r'"([^"]+)"', parts[1]))
    made_by_the_form = {found for found in looked_up if found.startswith("field-")}
    assert len(looked_up) > 50
    assert looked_up - made_by_the_form <= set(OUTLINE.ids)


def test_what_the_page_refers_to_is_there() -> None:
    names = {path.name for path in FILES}
    for _, attributes in OUTLINE.elements:
        for attribute in ("src", "href"):
            target = attributes.get(attribute) or ""
            if target.startswith("/page/"):
                assert target.removeprefix("/page/") in names
            elif target.startswith("#"):
                assert target[1:] in OUTLINE.ids
        for attribute in ("for", "aria-labelledby", "aria-describedby"):
            if referred := attributes.get(attribute):
                assert referred in OUTLINE.ids


def test_imports_name_what_their_modules_export() -> None:
    exported = {
        path.name: set(re.findall(r"^export (?:async )?(?:function\*?|class|const) (\w+)", path.read_text(), re.M)) for path in MODULES
    }
    reached, waiting = set(), ["main.js"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        source = (Path(str(PAGE)) / name).read_text()
        for wanted, target in re.findall(r'^import \{ ([^}]+) \} from "\./([^"]+)"', source, re.M):
            assert {one.strip() for one in wanted.split(",")} <= exported[target], (name, target)
            if target not in reached:
                waiting.append(target)
    assert reached == set(exported), "a module that nothing imports"


def test_controls_have_names() -> None:
    labelled = {attributes.get("for") for tag, attributes in OUTLINE.elements if tag == "label"}

    def named(attributes: dict[str, Any]) -> bool:
        return attributes.get("type") in ("radio", "checkbox") or "aria-label" in attributes or attributes.get("id") in labelled

    nameless = [attributes for tag, attributes in OUTLINE.elements if tag in ("input", "select", "textarea") and not named(attributes)]
    assert nameless == []
    assert all("alt" in attributes for tag, attributes in OUTLINE.elements if tag == "img")
