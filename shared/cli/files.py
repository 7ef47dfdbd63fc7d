"""File arguments on the command line: paths, or URLs to download."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from shared.cli.temporary_folders import temporary_folder
from shared.jobs.record import UrlInput
from shared.media.names import safe_name
from shared.net.download import checked_client, fetch
from shared.operation import AUTO
from shared.settings import Settings

URL = re.compile(r"https?://", re.IGNORECASE)


class Given:
    """Type annotation of input arguments, whose values `file_or_url` parses.

    With the annotation Path, typer would make a path of a URL.
    """


def is_url(value: object) -> bool:
    """Return whether an argument is a URL."""
    return isinstance(value, str) and URL.match(value) is not None


def file_or_url(text: str) -> Path | str:
    """Parse an input argument: a file, "auto" or a URL.

    A file must exist.
    """
    if is_url(text):
        return text
    if text != AUTO and not Path(text).is_file():
        raise click.BadParameter(f"File '{text}' does not exist.")
    return Path(text)


@contextmanager
def fetched(inputs: Mapping[str, Any], settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the inputs, with a downloaded file in place of each URL.

    The files are deleted after the block. The rules and limits of the server's downloads apply. Raises Invalid, ForbiddenAddress,
    FetchFailed.
    """
    with temporary_folder() as folder:
        paths: dict[str, Path] = {}

        def path(source: Any) -> Any:
            source = source.url if isinstance(source, UrlInput) else source
            if not is_url(source):
                return source
            if source not in paths:
                target = Path(folder, str(len(paths)))
                target.mkdir()
                paths[source] = asyncio.run(_download(source, target, settings))
            return paths[source]

        yield {name: [path(item) for item in source] if isinstance(source, list) else path(source) for name, source in inputs.items()}


async def _download(url: str, folder: Path, settings: Settings) -> Path:
    limit_s, limit_bytes = settings.url_timeout_s, settings.max_upload_bytes
    async with (
        checked_client(settings) as client,
        fetch(client, url, timeout_s=limit_s, max_bytes=limit_bytes) as (name, chunks),
    ):
        path = folder / safe_name(name)
        with path.open("wb") as file:
            async for chunk in chunks:
                file.write(chunk)
        return path
