"""Serving and imports of the studio's files, checked without a browser."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
import quickjs
from fastapi import FastAPI

from gateway.app import add_pages
from gateway.routing.upstream import Upstreams
from gateway.web.bundle import TYPES, read_bundle, read_files
from gateway.web.chunks import chunks_from, joined_modules
from gateway.web.routes import FIRST_READS, FOLDER, FOLDERS, Studio
from shared.http.handlers import add_handlers
from tests.gateway.media_app import serving

FILES = {name: content.decode() for name, content in read_files(FOLDERS).items()}
MODULES = {name: text for name, text in FILES.items() if name.endswith(".js")}
BUNDLE = read_bundle(FOLDERS, "/studio", FIRST_READS)
INDEX = BUNDLE.index.content.decode()
NAMESPACE = "http://www.w3.org/2000/svg"
PLACEHOLDER = "https://…/clip.mp4"
MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|srcdoc"
TEMPLATES = "base/html.js"
FIRST_VISIT_BYTES = 90_000
MOST_LINES = 400


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    app = FastAPI(openapi_url="/openapi.json")
    add_handlers(app)
    add_pages(app, cast(Upstreams, SimpleNamespace(clients={})), Studio())
    with serving(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as started:
        yield started


def test_the_page_and_all_its_files_are_served_compressed_with_a_strict_policy(client: httpx.Client) -> None:
    for url in ["/", *(f"/studio/{BUNDLE.version}/{name}" for name in BUNDLE.files)]:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert answer.headers["content-type"] == TYPES[Path(url).suffix or ".html"], url
        assert answer.headers["content-encoding"] == "gzip"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == ("no-cache" if url == "/" else "public, max-age=31536000, immutable")
    for refusing in ("identity", "gzip;q=0", "gzip; q=0.00, br", "GZIP; Q=0.000"):
        plain = client.get("/", headers={"Accept-Encoding": refusing})
        assert "content-encoding" not in plain.headers, refusing
        assert plain.text == INDEX
    assert client.get("/", headers={"Accept-Encoding": "gzip;q=0.001"}).headers["content-encoding"] == "gzip"


def test_a_page_that_has_not_changed_is_not_sent_again(client: httpx.Client) -> None:
    etag = client.get("/").headers["etag"]
    assert client.get("/", headers={"If-None-Match": etag}).status_code == 304


def test_a_file_under_an_old_address_is_not_cached(client: httpx.Client) -> None:
    assert client.get("/studio/0000000000000000/main.js").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["%2e%2e/app.py", "..%2fapp.py", "nothing.js", "index.html"])
def test_a_file_outside_the_folder_is_not_served(client: httpx.Client, path: str) -> None:
    assert client.get(f"/studio/{BUNDLE.version}/{path}").status_code == 404


def test_a_first_visit_is_small_and_takes_few_requests() -> None:
    names = re.findall(rf"/studio/{BUNDLE.version}/([^\"]+)", INDEX)
    assert names == ["icon.svg", "style.css", "main.js"]
    sizes = {name: len(BUNDLE.files[name].compressed or b"") for name in names}
    assert sum(sizes.values()) + len(gzip.compress(INDEX.encode())) <= FIRST_VISIT_BYTES, sizes
    assert re.findall(r'(?<![.$])\bfrom "\.', (BUNDLE.files["main.js"].content).decode()) == []


def test_what_the_first_screen_requests_is_preloaded_unless_keys_are_needed() -> None:
    assert re.findall(r'rel="preload" as="fetch" href="([^"]+)"', INDEX) == list(FIRST_READS)
    store = MODULES["state/store.js"]
    numbers = dict(re.findall(r"^const (MEDIA_PAGE|SHOWN_JOBS) = (\d+)", store, re.M))
    for address in FIRST_READS:
        written = address.replace(f"={numbers['MEDIA_PAGE']}", "=${MEDIA_PAGE}").replace(f"={numbers['SHOWN_JOBS']}", "=${SHOWN_JOBS}")
        assert written in store
    assert 'rel="preload"' not in BUNDLE.bare_index.content.decode()


def test_every_module_is_in_one_served_file_after_those_it_imports() -> None:
    chunks = chunks_from("main.js", MODULES)
    names = [name for chunk in chunks for name in chunk.modules]
    assert sorted(names) == sorted(MODULES)
    for name, text in joined_modules("main.js", MODULES).items():
        sheets = re.findall(r"^const (\$\w+) = \(\(\) => \{", text, re.M)
        imported = {part.strip() for group in re.findall(r"^import \{([^}]+)\} from", text, re.M) for part in group.split(",")}
        for at, variable in enumerate(sheets):
            body = text.split(f"const {variable} = (() => {{")[1].split("\n})();")[0]
            assert set(re.findall(r"^const \{[^}]+\} = (\$\w+);", body, re.M)) <= {*sheets[:at], *imported}, (name, variable)
        parse(re.sub(r"^(import|export) [^;]*;$", "", text, flags=re.M))


def parse(code: str) -> None:
    """Parse a module without its imports and exports.

    Raise an error if the code is invalid.
    """
    quickjs.Context().eval(f"(async () => {{ if (false) {{ {code.replace('import.meta.url', 'location.href')}\n}} }})")


def test_the_hashing_worker_loads_nothing_of_the_page() -> None:
    text = BUNDLE.files["server/hash_worker.js"].content.decode()
    assert [line for line in text.splitlines() if line.startswith("import ")] == []
    assert "document" not in text
    main = BUNDLE.files["main.js"].content.decode()
    assert 'new URL("./server/hash_worker.js", import.meta.url)' in main


def test_modules_that_import_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.js -> b\.js -> a\.js"):
        joined_modules("a.js", {"a.js": 'import "./b.js";\n', "b.js": 'import "./a.js";\n'})


def test_no_style_or_script_is_inline() -> None:
    assert "{page}" not in INDEX
    assert "{preload}" not in INDEX
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", INDEX) == []
    inline = {
        name: matches for name, text in MODULES.items() if (matches := re.findall(r"<style|[\s\"]style=|<script|\son[a-z]+=\"", text))
    }
    assert inline == {}


def test_no_file_refers_to_another_site() -> None:
    urls = {url for text in FILES.values() for url in re.findall(r"https?://[^\s\"'`)<]+|[\"'(]//\w[^\s\"']*|@import[^;]*", text)}
    assert urls <= {NAMESPACE, PLACEHOLDER}


def test_only_literal_templates_become_markup() -> None:
    markup = {name: matches for name, text in MODULES.items() if (matches := re.findall(MARKUP, text))}
    assert markup == {TEMPLATES: ["innerHTML"]}
    assert "if (!Array.isArray(strings.raw)) throw" in MODULES[TEMPLATES]  # only template literals have `raw`


def target_of(importer: str, address: str) -> str:
    """Return the module that the relative import `address` in module `importer` refers to."""
    return (FOLDER / importer).parent.joinpath(address).resolve().relative_to(FOLDER).as_posix()


def test_imported_names_are_exported_and_folders_do_not_import_each_other_in_a_cycle() -> None:
    exported = {
        name: set(re.findall(r"^export (?:async )?(?:function\*?|class|const) (\w+)", text, re.M)) for name, text in MODULES.items()
    }
    used: set[str] = {"main.js"}
    rooms: dict[str, set[str]] = {name.split("/")[0]: set() for name in MODULES if "/" in name}
    for name, text in MODULES.items():
        room = name.split("/")[0]
        for names, address in re.findall(r'^import (?:\{([^}]+)\} from )?"(\.[^"]+)";', text, re.M):
            target = target_of(name, address)
            assert {name.strip() for name in names.split(",") if name.strip()} <= exported[target], (name, target)
            used.add(target)
            if room in rooms and target.split("/")[0] != room:
                rooms[room].add(target.split("/")[0])
        used |= {target_of(name, address) for address in re.findall(r'(?:import|new URL)\("(\.[^"]+)"', text)}
    assert used == set(MODULES), "a module that nothing imports, or an import of nothing"
    while free := [room for room, targets in rooms.items() if not targets & rooms.keys()]:
        for room in free:
            del rooms[room]
    assert rooms == {}


def test_every_module_parses_is_short_and_begins_with_a_comment() -> None:
    for name, text in MODULES.items():
        assert text.startswith("// "), f"{name} says what it holds"
        assert text.count("\n") <= MOST_LINES, name
        parse(re.sub(r"^(import [^;]*?;$|export )", "", text, flags=re.M))


def test_pictures_and_icon_buttons_have_text_for_screen_readers() -> None:
    for name, text in MODULES.items():
        for tag in re.findall(r"<(?:img|canvas)(?= )(?:=>|[^>])*>", text):
            assert re.search(r"\balt=|aria-hidden|aria-label", tag), (name, tag)
        for tag in re.findall(r'<button\b[^>]*class="icon(?:=>|[^>])*>', text):
            assert "aria-label=" in tag, (name, tag)
