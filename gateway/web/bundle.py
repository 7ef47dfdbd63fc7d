"""The studio's files in memory: hashed as a whole, and compressed."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
}
COMPRESSED = frozenset({".html", ".js", ".css", ".svg"})
FIRST = "main.js"
IMPORT = re.compile(r"""^(?:import|export) [^;]*?from "(\.[^"]+)";|^import "(\.[^"]+)";""", re.MULTILINE)


@dataclass(frozen=True)
class PageFile:
    """A file of the page, ready to send. `compressed`: gzip; None if that would not help."""

    content: bytes
    compressed: bytes | None
    content_type: str


@dataclass(frozen=True)
class Bundle:
    """All files of the page by path, and a name that changes with any of them."""

    version: str
    files: Mapping[str, PageFile]
    index: PageFile


def newest_change(folder: Path) -> int:
    """Return the time of the last change of any file below a folder, in nanoseconds."""
    return max(path.stat().st_mtime_ns for path in folder.rglob("*"))


def read_bundle(folder: Path, prefix: str) -> Bundle:
    """Read the page's files.

    In index.html, `{page}` becomes the address of the files, below `prefix`, and `{preload}` becomes links to all modules that the page
    starts with.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix in TYPES)
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    version = digest.hexdigest()[:16]
    address = f"{prefix}/{version}"
    preload = "\n  ".join(f'<link rel="modulepreload" href="{address}/{name}">' for name in modules_from(FIRST, contents))
    index = contents.pop("index.html").decode().replace("{preload}", preload).replace("{page}", address).encode()
    files = {name: _file(content, Path(name).suffix) for name, content in contents.items()}
    return Bundle(version, files, _file(index, ".html"))


def modules_from(first: str, contents: Mapping[str, bytes]) -> list[str]:
    """Return the modules that `first` imports, directly or not, and itself; not those that are imported later on demand."""
    reached: list[str] = []
    waiting = [first]
    while waiting:
        name = waiting.pop(0)
        if name in reached:
            continue
        reached.append(name)
        waiting.extend(_joined(name, match[1] or match[2]) for match in IMPORT.finditer(contents[name].decode()))
    return reached


def _joined(importer: str, address: str) -> str:
    """Return the path of a module from a relative address, such as `../base/html.js`."""
    parts = importer.split("/")[:-1]
    for part in address.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _file(content: bytes, suffix: str) -> PageFile:
    compressed = gzip.compress(content, 9, mtime=0) if suffix in COMPRESSED else None
    return PageFile(content, compressed, TYPES[suffix])
