"""Resumable download of a file over HTTP.

It resumes after a break, and the file is checked and renamed into place when complete.
"""

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
CHECK_BYTES = 64 * 1024**2
"""Bytes between two checks of the disk for files of unknown length."""

ATTEMPTS = 5
"""Number of fruitless connections in a row after which a download fails. A fruitless connection breaks before a byte is received."""

TIMEOUT = httpx.Timeout(60.0, connect=15.0)
OnBytes = Callable[[int, int | None], None]
"""Called with the bytes received, and the total (None if unknown)."""


class _Broken(Exception):
    """The connection broke, but the received bytes are kept."""


def download(
    origin: Origin, target: Path, on_bytes: OnBytes = lambda _done, _total: None, *, pause_s: float = 1.0, attempts: int = ATTEMPTS
) -> str:
    """Download a file to `target`, verify it, and return its SHA-256.

    After a break the received bytes stay in `<target>.part`, and the next call resumes from there (HTTP ranges, RFC 9110) if the server
    still has the same file (If-Range). A broken connection is retried `attempts` times in a row, with pauses that double from `pause_s`.
    Raises FetchFailed if the file cannot be fetched, has another checksum or size than its origin states (nothing of it is kept), or does
    not fit on the disk.
    """
    try:
        return _download(origin, target, on_bytes, pause_s, attempts)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FetchFailed(
                f"The disk is full; the received part of {origin.shown} is kept. Run the same command again to resume."
            ) from error
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
                    raise FetchFailed(f"{origin.shown} cannot be fetched: {why}. Run the same command again to resume.") from broken
                time.sleep(pause_s * 2 ** (failures - 1))
    sha256 = _checked(origin, part, tag)
    os.replace(part, target)
    tag.unlink(missing_ok=True)
    sync_folder(target.parent)
    return sha256


def _fetch_rest(client: httpx.Client, origin: Origin, part: Path, tag: Path, on_bytes: OnBytes) -> None:
    """Download the missing bytes of a file, and append them to `part`.

    Raises _Broken, after which the same call resumes.
    """
    received, validator = _size(part), _read(tag)
    if received and origin.size == received:
        return
    resume = {"Range": f"bytes={received}-", "If-Range": validator} if received and validator else {}
    with _answer(client, origin, resume) as answer:
        part_answered = answer.headers.get("Content-Range", "")
        if answer.status_code == 416 and part_answered == f"bytes */{received}":
            return  # the partial file is complete already
        if answer.status_code == 416 and received:
            part.unlink()  # the partial file is longer than the file, so it belongs to another version
            raise _Broken("the server has a shorter file now")
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            raise _Broken(f"the server answered {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise FetchFailed(f"{origin.shown} answered {answer.status_code} {answer.reason_phrase}.".replace(" .", "."))
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise FetchFailed(f"{origin.shown} answered with a web page instead of the file. A login page or a proxy may be in between.")
        if packed := answer.headers.get("Content-Encoding", "").replace("identity", ""):
            raise FetchFailed(f"{origin.shown} sent the file compressed ({packed[:40]}), which was not requested.")
        start = received if answer.status_code == 206 else 0
        if answer.status_code == 206 and not (resume and part_answered.startswith(f"bytes {start}-")):
            raise FetchFailed(f"{origin.shown} answered the request for bytes from {start} on with {part_answered or 'no range'}.")
        total = _total(answer, start, origin)
        _make_room(part, (total or start) - start)
        tag.write_text(_validator(answer))
        with part.open("r+b" if start else "wb", buffering=0) as file:
            file.seek(start)
            file.truncate()
            _append(answer, file, start, total, origin, on_bytes)


def _append(answer: httpx.Response, file: BinaryIO, start: int, total: int | None, origin: Origin, on_bytes: OnBytes) -> None:
    done, check_at = start, start + CHECK_BYTES
    try:
        for block in answer.iter_raw():  # raw blocks: collected bytes would be lost if the connection breaks
            done += len(block)
            if done > (total or MAX_BYTES):
                raise FetchFailed(f"{origin.shown} sent more than the announced {total or MAX_BYTES} bytes.")
            write_all(file, block)
            on_bytes(done, total)
            if total is None and done >= check_at:
                _make_room(Path(file.name), 0)
                check_at = done + CHECK_BYTES
    except httpx.TransportError as error:
        raise _Broken(str(error) or type(error).__name__) from error
    finally:
        os.fsync(file.fileno())
    if total is not None and done < total:
        raise _Broken(f"received {done} of {total} bytes")


@contextmanager
def _answer(client: httpx.Client, origin: Origin, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """Request the file at `origin`, following redirects; yield the response.

    A redirect from https to http is refused. httpx sends credentials only to the first host.
    """
    request = client.build_request("GET", origin.url, headers=headers)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            answer = client.send(request, stream=True)
            if answer.next_request is None:
                break
            answer.close()
            if answer.next_request.url.scheme not in ("http", "https"):
                raise FetchFailed(f"{origin.shown} redirects to {answer.next_request.url}, which is not a web address.")
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
    """Return the full size that the response states; None if unknown.

    Raises FetchFailed for an empty or too large file, and if the origin states another size.
    """
    length = answer.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else origin.size
    if answer.status_code == 206:  # partial content, which may be less than requested
        whole = re.fullmatch(r"bytes \d+-\d+/(\d{1,18})", answer.headers.get("Content-Range", ""))
        total = int(whole[1]) if whole else total
    if total == 0:
        raise FetchFailed(f"{origin.shown} is empty.")
    if origin.size is not None and total != origin.size:
        raise FetchFailed(f"{origin.shown} has {total} bytes, but the published file has {origin.size}.")
    if total is not None and total > MAX_BYTES:
        raise FetchFailed(f"{origin.shown} has {total} bytes; the limit is {MAX_BYTES}.")
    return total


def _make_room(part: Path, needed: int) -> None:
    free, needed = shutil.disk_usage(part.parent).free, needed + KEEP_FREE_BYTES
    if needed > free:
        raise FetchFailed(f"{part.parent} has {free / 1e9:.2f} GB free; {part.stem} needs {needed / 1e9:.2f} GB.")


def _checked(origin: Origin, part: Path, tag: Path) -> str:
    """Verify the downloaded file `part`; return its SHA-256.

    A wrong file is deleted, together with `tag`, the file that identifies its version.
    """
    sha256, checksum = digests(part, origin.checksum)
    if checksum != origin.checksum:
        part.unlink()
        tag.unlink(missing_ok=True)
        raise FetchFailed(f"{origin.shown} has {checksum}, but {origin.checksum} {origin.authority}. The download was deleted.")
    return sha256


def _validator(answer: httpx.Response) -> str:
    """Return the response's validator for If-Range requests.

    It is a strong ETag, or else Last-Modified.
    """
    etag: str = answer.headers.get("ETag", "")
    validator = etag if etag.startswith('"') else str(answer.headers.get("Last-Modified", ""))
    return validator if validator.isascii() else ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return ""
