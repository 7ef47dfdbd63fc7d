"""The web page without a browser: its files are served, and its parts fit together."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import quickjs
from fastapi import FastAPI

from gateway.app import PAGE, add_pages
from gateway.routing.upstream import Upstreams
from tests.gateway.media_app import serving

FOLDER = Path(str(PAGE))
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())
MODULES = [path for path in FILES if path.suffix == ".js"]
INDEX = (FOLDER / "index.html").read_text()
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
NAMESPACE = "http://www.w3.org/2000/svg"


def name_of(path: Path) -> str:
    """Return the path of a file of the page, such as `form/fields.js`."""
    return path.relative_to(FOLDER).as_posix()


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
    for url, path in [("/", Path("index.html")), *((f"/page/{name_of(path)}", path) for path in FILES)]:
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


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    found = re.findall(r"https?://[^\s\"'`)]+|[\"'(]//\w[^\s\"']*|@import[^;]*", path.read_text())
    assert [url for url in found if url != NAMESPACE] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_makes_markup_from_text(path: Path) -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|srcdoc"
    assert re.findall(markup, path.read_text()) == []


def test_ids_are_unique_and_every_one_that_a_module_looks_up_is_there() -> None:
    assert len(OUTLINE.ids) == len(set(OUTLINE.ids))
    looked_up = {found for path in MODULES for found in re.findall(r'byId\("([^"]+)"\)', path.read_text())}
    parts = re.search(r"const PARTS = \[(.*?)\]", (FOLDER / "result" / "job_view.js").read_text())
    assert parts is not None
    looked_up |= set(re.findall(r'"([^"]+)"', parts[1]))
    made_by_the_form = {found for found in looked_up if found.startswith("field-")}
    assert len(looked_up) > 50
    assert looked_up - made_by_the_form <= set(OUTLINE.ids)


def test_files_that_the_page_refers_to_exist() -> None:
    names = {name_of(path) for path in FILES}
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
    exported = {path: set(re.findall(r"^export (?:async )?(?:function\*?|class|const) (\w+)", path.read_text(), re.M)) for path in MODULES}
    reached, waiting = set(), [FOLDER / "main.js"]
    while waiting:
        module = waiting.pop()
        reached.add(module)
        for names, address in re.findall(r'^import \{ ([^}]+) \} from "(\.[^"]+)"', module.read_text(), re.M):
            target = (module.parent / address).resolve()
            assert {name.strip() for name in names.split(",")} <= exported[target], (module, target)
            if target not in reached:
                waiting.append(target)
    assert reached == set(exported), "a module that nothing imports"


def test_rooms_import_each_other_without_cycles() -> None:
    imports = {path: re.findall(r'^import .* from "\.\./(\w+)/', path.read_text(), re.M) for path in MODULES}
    rooms = {path.parent.name: set() for path in MODULES if path.parent != FOLDER}
    for path, targets in imports.items():
        if path.parent != FOLDER:
            rooms[path.parent.name] |= set(targets)
    while free := [room for room, targets in rooms.items() if not targets & rooms.keys()]:
        for room in free:
            del rooms[room]
    assert rooms == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_parses(path: Path) -> None:
    code = re.sub(r"^(import .*?;$|export )", "", path.read_text(), flags=re.M)
    quickjs.Context().eval(f"(async () => {{ if (false) {{ {code}\n}} }})")


def test_controls_have_names() -> None:
    labelled = {attributes.get("for") for tag, attributes in OUTLINE.elements if tag == "label"}

    def named(attributes: dict[str, Any]) -> bool:
        return attributes.get("type") in ("radio", "checkbox") or "aria-label" in attributes or attributes.get("id") in labelled

    nameless = [attributes for tag, attributes in OUTLINE.elements if tag in ("input", "select", "textarea") and not named(attributes)]
    assert nameless == []
    assert all("alt" in attributes for tag, attributes in OUTLINE.elements if tag == "img")
