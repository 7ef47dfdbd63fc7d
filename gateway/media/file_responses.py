"""File responses with byte ranges, conditional requests and safe headers."""

import os
import re
from email.utils import parsedate_to_datetime
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from shared.errors import ReelwrightError
from shared.media.disk import on_disk
from shared.media.names import content_disposition, download_name
from shared.media.record import MediaRecord

RANGES = re.compile(r"bytes=(\s*(\d{1,18}-\d{0,18}|-\d{1,18})\s*)(,\s*(\d{1,18}-\d{0,18}|-\d{1,18})\s*)*", re.IGNORECASE)
ENTITY_TAG = re.compile(r'(W/)?"([^"]*)"')
MAX_RANGES = 16
PASSIVE = re.compile(r"(video|audio)/[a-z0-9.+-]+|image/(?!svg)[a-z0-9.+-]+|application/(json|zip|mxf)")
"""Media types, in lower case and without parameters, whose files cannot run scripts."""
# Content security policies by media type. Documents with scripts run without the server's origin, so they cannot reach the user's media
# or key. The keyframe gallery needs its script and offers downloads.
POLICIES = {"text/html": "sandbox allow-scripts allow-downloads"}
OTHER_POLICY = "sandbox"


class RangeNotSatisfiable(ReelwrightError):
    """The range lies outside the file"""

    type, status = "range-not-satisfiable", 416


class PreconditionFailed(ReelwrightError):
    """The file has changed"""

    type, status = "precondition-failed", 412


class RangedFile(FileResponse):
    """File response that reads large blocks and serves ranges (RFC 9110).

    Starlette answers 400 to a malformed Range, which RFC 9110 says to ignore, and 416 if one of several ranges lies outside the file.
    """

    chunk_size = 1024 * 1024
    kept_range: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        if self.kept_range is not None:
            headers.append((b"range", self.kept_range.encode()))
        await super().__call__({**scope, "headers": headers}, receive, send)


async def content_response(request: Request, record: MediaRecord, path: Path, *, download: bool) -> Response:
    """Return a response with a medium's file, or with a range of it.

    The status is 304 if the client has the file. Raises RangeNotSatisfiable and PreconditionFailed.
    """
    name = download_name(record.name, content_type=record.content_type, suffix=path.suffix)
    headers = {
        "ETag": f'"{record.sha256}"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition(name, download=download),
    } | safety_headers(record.content_type)
    return await file_response(request, path, media_type=record.content_type, headers=headers)


def safety_headers(content_type: str) -> dict[str, str]:
    """Return headers that keep a file from acting as a page.

    Only media types that cannot run scripts get no content security policy.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    policy = {} if PASSIVE.fullmatch(media_type) else {"Content-Security-Policy": POLICIES.get(media_type, OTHER_POLICY)}
    return {"X-Content-Type-Options": "nosniff"} | policy


async def file_response(request: Request, path: Path, *, media_type: str, headers: dict[str, str]) -> Response:
    """Return a response with a file, or with a range of it.

    The status is 304 if the client has the file. `headers` must contain an ETag. Raises RangeNotSatisfiable, and PreconditionFailed for
    an If-Match or If-Unmodified-Since that the file does not meet (RFC 9110, 13.2.2).
    """
    stat = await on_disk(os.stat, path)
    response = RangedFile(path, media_type=media_type, headers=headers, stat_result=stat)
    if_match, if_none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if if_match is not None:
        changed = not is_known(if_match, headers["ETag"], weak=False)
    else:
        changed = (moment := seconds_of(request.headers.get("if-unmodified-since"))) is not None and int(stat.st_mtime) > moment
    if changed:
        raise PreconditionFailed(f"The file has changed: its ETag is now {headers['ETag']}. Download it again.")
    if if_none_match is not None:
        unchanged = is_known(if_none_match, headers["ETag"])
    else:
        unchanged = (moment := seconds_of(request.headers.get("if-modified-since"))) is not None and int(stat.st_mtime) <= moment
    if unchanged:
        return Response(status_code=304, headers=headers)
    if request.headers.get("if-range") in (None, headers["ETag"], response.headers["last-modified"]):
        response.kept_range = satisfiable(request.headers.get("range"), size=stat.st_size)
    return response


def satisfiable(header: str | None, *, size: int) -> str | None:
    """Remove ranges that begin after the file's end from the Range header `header`.

    `size`: bytes of the file. None if there is no header, or if it is malformed or has more than MAX_RANGES ranges. Raises
    RangeNotSatisfiable if no range lies within the file (RFC 9110, 14.2).
    """
    if header is None or RANGES.fullmatch(header.strip()) is None:
        return None
    pairs = [part.strip().split("-") for part in header.partition("=")[2].split(",")]
    if len(pairs) > MAX_RANGES or any(first and last and int(first) > int(last) for first, last in pairs):
        return None
    ranges = [f"{first}-{last}" for first, last in pairs if (int(first) < size if first else int(last) > 0 and size > 0)]
    if not ranges:
        raise RangeNotSatisfiable(
            f"{header!r} lies outside the file, which has {size} bytes.", headers={"Content-Range": f"bytes */{size}"}
        )
    return "bytes=" + ",".join(ranges)


def seconds_of(date: str | None) -> float | None:
    """Convert the date in a header to Unix seconds.

    None without a header, and for an invalid date, which RFC 9110 says to ignore.
    """
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def is_known(tags: str | None, etag: str, *, weak: bool = True) -> bool:
    """Return whether `tags`, an If-Match or If-None-Match header, matches `etag`.

    `weak`: whether weak tags count; they do not in If-Match (RFC 9110, 13.1.1).
    """
    if tags is None:
        return False
    return tags.strip() == "*" or any(tag == etag.strip('"') for mark, tag in ENTITY_TAG.findall(tags) if weak or not mark)
