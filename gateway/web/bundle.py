"""Loading of the studio's files: they are bundled, hashed and compressed."""

import gzip
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.web.chunks import joined_modules

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
}
COMPRESSED = frozenset({".html", ".js", ".css", ".svg"})
FIRST = "main.js"
STYLE = "style.css"


@dataclass(frozen=True)
class PageFile:
    """A file of the studio, ready to send.

    `compressed`: the content as gzip; None for types that are compressed already.
    """

    content: bytes
    compressed: bytes | None
    content_type: str


@dataclass(frozen=True)
class Bundle:
    """The studio's served files by path, and its index page.

    `version` changes whenever a file changes. `index` preloads the API requests of the first screen; `bare_index` does not, because a
    preload cannot carry an API key.
    """

    version: str
    files: Mapping[str, PageFile]
    index: PageFile
    bare_index: PageFile


def newest_change(folders: Collection[Path]) -> int:
    """Return the latest modification time of files below `folders`, in nanoseconds.

    It is 0 without files.
    """
    return max((path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")), default=0)


def read_files(folders: Mapping[str, Path]) -> dict[str, bytes]:
    """Return the contents of the studio's files, by relative URL.

    `folders`: start of the relative URL -> folder.
    """
    paths = {prefix + path.relative_to(folder).as_posix(): path for prefix, folder in folders.items() for path in folder.rglob("*")}
    return {name: paths[name].read_bytes() for name in sorted(paths) if paths[name].suffix in TYPES}


def read_bundle(folders: Mapping[str, Path], prefix: str, preloaded: Sequence[str]) -> Bundle:
    """Read the studio's files into a bundle of few files.

    In index.html, `{page}` becomes the address of the files below `prefix`, and `{preload}` links to `preloaded`: addresses of the API.
    """
    contents = read_files(folders)
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    version = digest.hexdigest()[:16]
    links = "\n  ".join(f'<link rel="preload" as="fetch" href="{address}" crossorigin>' for address in preloaded)
    template = contents.pop("index.html").decode().replace("{page}", f"{prefix}/{version}")
    index, bare_index = (_file(template.replace("{preload}", preload).encode(), ".html") for preload in (links, ""))
    files = {name: _file(content, Path(name).suffix) for name, content in _joined(contents).items()}
    return Bundle(version, files, index, bare_index)


def _joined(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Join JavaScript modules into chunks, and style sheets into one file."""
    texts = {name: content.decode() for name, content in contents.items() if name.endswith(".js")}
    style = b"".join(content for name, content in contents.items() if name.endswith(".css"))
    others = {name: content for name, content in contents.items() if not name.endswith((".js", ".css"))}
    return others | {STYLE: style} | {name: text.encode() for name, text in joined_modules(FIRST, texts).items()}


def _file(content: bytes, suffix: str) -> PageFile:
    compressed = gzip.compress(content, 9, mtime=0) if suffix in COMPRESSED else None
    return PageFile(content, compressed, TYPES[suffix])
