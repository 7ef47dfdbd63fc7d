"""A file fetched over HTTP: taken up again where it broke off, on disk when it is done, under its name only then."""

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import httpx

from shared.errors import FetchFailed
from shared.media.disk import sync_folder, write_all
from shared.models.digest import digests
from shared.models.install.source import Origin

MAX_REDIRECTS = 5
MAX_BYTES = 64 * 1024**3
KEEP_FREE_BYTES = 256 * 1024**2
LOOK_BYTES = 64 * 1024**2
"""How often the free room is looked at while a file of unknown length comes."""

ATTEMPTS = 5
"""So often in a row may a connection break without a single byte having come."""

TIMEOUT = httpx.Timeout(60.0, connect=15.0)
OnBytes = Callable[[int, int | None], None]
"""Called with the bytes that are there, and with how many there will be, where that is known."""


class _Broken(Exception):
    """The connection broke: what came is kept."""


def download(
    origin: Origin, target: Path, on_bytes: OnBytes = lambda _done, _total: None, *, pause_s: float = 1.0, attempts: int = ATTEMPTS
) -> str:
    """Fetch a file to `target` and hold it to what its origin says of it; its SHA-256 in hex.

    What has come stays in `<target>.part` when it breaks off, and the next call goes on from there (HTTP ranges, RFC 9110), as long as the
    server still has the same file (If-Range). Breaks are tried again with growing pauses, from `pause_s` on, `attempts` in a row. Raises
    FetchFailed where the file cannot be had or is not the one that is promised (then nothing of it is kept), and where the disk has no room
    for it.
    """
    try:
        return _download(origin, target, on_bytes, pause_s, attempts)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FetchFailed(f"The disk is full; what came of {origin.shown} is kept. The same command goes on from there.") from error
        raise FetchFailed(f"{error.filename or target} cannot be written: {error.strerror}.") from error


def _download(origin: Origin, target: Path, on_bytes: OnBytes, pause_s: float, attempts: int) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    part, tag = target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.tag")
    failures = 0
    with httpx.Client(timeout=TIMEOUT, headers={"User-Agent": "Reelwright", "Accept-Encoding": "identity"} | origin.headers) as client:
        while True:
            before = _size(part)
            try:
                _fetch_rest(client, origin, part, tag, on_bytes)
                break
            except _Broken as broken:
                failures = 1 if _size(part) > before else failures + 1
                if failures >= attempts:
                    why = str(broken).rstrip(".")
                    raise FetchFailed(f"{origin.shown} cannot be fetched: {why}. The same command goes on where it broke off.") from broken
                time.sleep(pause_s * 2 ** (failures - 1))
    sha256 = _checked(origin, part, tag)
    os.replace(part, target)
    tag.unlink(missing_ok=True)
    sync_folder(target.parent)
    return sha256


def _fetch_rest(client: httpx.Client, origin: Origin, part: Path, tag: Path, on_bytes: OnBytes) -> None:
    """Append what is missing. Raises _Broken, after which the same call goes on."""
    have, known = _size(part), _read(tag)
    if have and origin.size == have:
        return
    resume = {"Range": f"bytes={have}-", "If-Range": known} if have and known else {}
    with _answer(client, origin, resume) as answer:
        part_answered = answer.headers.get("Content-Range", "")
        if answer.status_code == 416 and part_answered == f"bytes */{have}":
            return  # it was complete already
        if answer.status_code == 416 and have:
            part.unlink()  # longer than the file: of another version
            raise _Broken("the server has a shorter file now")
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            raise _Broken(f"the server answered {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise FetchFailed(f"{origin.shown} answered {answer.status_code} {answer.reason_phrase}.".replace(" .", "."))
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise FetchFailed(f"{origin.shown} answered a web page, not a file: is a login or a proxy in between?")
        if packed := answer.headers.get("Content-Encoding", "").replace("identity", ""):
            raise FetchFailed(f"{origin.shown} answered a file that is packed ({packed[:40]}), though none was asked for.")
        start = have if answer.status_code == 206 else 0
        if answer.status_code == 206 and not (resume and part_answered.startswith(f"bytes {start}-")):
            raise FetchFailed(f"{origin.shown} answered {part_answered or 'no part'} where the bytes from {start} on were asked for.")
        total = _total(answer, start, origin)
        _make_room(part, (total or start) - start)
        tag.write_text(_validator(answer))
        with part.open("r+b" if start else "wb", buffering=0) as file:
            file.seek(start)
            file.truncate()
            _append(answer, file, start, total, origin, on_bytes)


def _append(answer: httpx.Response, file: BinaryIO, start: int, total: int | None, origin: Origin, on_bytes: OnBytes) -> None:
    done, look_at = start, start + LOOK_BYTES
    try:
        for block in answer.iter_raw():  # as it comes: what is being collected would be lost where the connection breaks
            done += len(block)
            if done > (total or MAX_BYTES):
                raise FetchFailed(f"{origin.shown} sent more than the {total or MAX_BYTES} bytes that were promised.")
            write_all(file, block)
            on_bytes(done, total)
            if total is None and done >= look_at:
                _make_room(Path(file.name), 0)
                look_at = done + LOOK_BYTES
    except httpx.TransportError as error:
        raise _Broken(str(error) or type(error).__name__) from error
    finally:
        os.fsync(file.fileno())
    if total is not None and done < total:
        raise _Broken(f"{done} of {total} bytes came")


@contextmanager
def _answer(client: httpx.Client, origin: Origin, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """The answer after all redirects; never from https to http. Credentials stay with the host they are for (httpx sees to that)."""
    request = client.build_request("GET", origin.url, headers=headers)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            answer = client.send(request, stream=True)
            if answer.next_request is None:
                break
            answer.close()
            if answer.next_request.url.scheme not in ("http", "https"):
                raise FetchFailed(f"{origin.shown} redirects to {answer.next_request.url}, which is no address on the web.")
            if request.url.scheme == "https" and answer.next_request.url.scheme != "https":
                raise FetchFailed(f"{origin.shown} redirects to {answer.next_request.url}, which is not encrypted.")
            request = answer.next_request
        else:
            raise FetchFailed(f"{origin.shown} redirects more than {MAX_REDIRECTS} times.")
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise _Broken(str(error) or type(error).__name__) from error
    try:
        yield answer
    finally:
        answer.close()


def _total(answer: httpx.Response, start: int, origin: Origin) -> int | None:
    """How long the whole file is. Raises FetchFailed where that is not what its origin says."""
    length = answer.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else origin.size
    if answer.status_code == 206:  # it may be less than what was asked for
        whole = re.fullmatch(r"bytes \d+-\d+/(\d{1,18})", answer.headers.get("Content-Range", ""))
        total = int(whole[1]) if whole else total
    if total == 0:
        raise FetchFailed(f"{origin.shown} is empty.")
    if origin.size is not None and total != origin.size:
        raise FetchFailed(f"{origin.shown} has {total} bytes, but {origin.size} are published.")
    if total is not None and total > MAX_BYTES:
        raise FetchFailed(f"{origin.shown} has {total} bytes; at most {MAX_BYTES} are fetched.")
    return total


def _make_room(part: Path, needed: int) -> None:
    free, needed = shutil.disk_usage(part.parent).free, needed + KEEP_FREE_BYTES
    if needed > free:
        raise FetchFailed(f"{part.parent} has {free / 1e9:.2f} GB free; {part.stem} needs {needed / 1e9:.2f} GB.")


def _checked(origin: Origin, part: Path, tag: Path) -> str:
    """The SHA-256 of a file that is complete. One that is not what was promised is not kept."""
    sha256, checksum = digests(part, origin.checksum)
    if checksum != origin.checksum:
        part.unlink()
        tag.unlink(missing_ok=True)
        raise FetchFailed(f"{origin.shown} has {checksum}, but {origin.checksum} {origin.authority}: refused, nothing of it is kept.")
    return sha256


def _validator(answer: httpx.Response) -> str:
    """What tells this version of the file from others, for If-Range: a strong ETag, or else the time of change."""
    etag: str = answer.headers.get("ETag", "")
    found = etag if etag.startswith('"') else str(answer.headers.get("Last-Modified", ""))
    return found if found.isascii() else ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return ""
