"""Downloads of the URLs among a job's inputs."""

import asyncio
from contextlib import suppress
from functools import partial

from shared.errors import Invalid, ReelwrightError, Unavailable, UnknownMedia
from shared.jobs.url_inputs import UrlFetch, at_field
from shared.media.disk import on_disk
from shared.media.ingestion import Probe, ingest
from shared.media.record import MediaRecord
from shared.media.store import MediaStore
from shared.net.download import checked_client, fetch
from shared.settings import Settings

PAUSES_S = (2.0, 10.0, 30.0)
"""Seconds before each further attempt to fetch a file. Attempts fail while no process is free to probe it."""


class UrlFetcher:
    """A fetcher that stores the files behind URLs as media, as `POST /v1/media/from-url` does."""

    def __init__(self, settings: Settings, media: MediaStore, probe: Probe):
        self._settings, self._media, self._probe = settings, media, probe

    async def fetch_all(self, owner: str, fetches: tuple[UrlFetch, ...]) -> None:
        """Fetch all URLs in order, except URLs whose media exist already.

        Raises the first error, with the field's name.
        """
        for url_fetch in fetches:
            try:
                record = await self._fetch(owner, url_fetch)
                if url_fetch.kinds and record.kind not in url_fetch.kinds:
                    await on_disk(self._media.delete, owner, record.id)
                    raise Invalid(f"{record.name} is of kind {record.kind}; this input takes {' or '.join(url_fetch.kinds)}.")
            except ReelwrightError as error:
                raise at_field(error, url_fetch.field) from error

    async def forget(self, owner: str, fetches: tuple[UrlFetch, ...]) -> None:
        """Delete the media that were fetched for a job that ends without running."""
        for url_fetch in fetches:
            with suppress(UnknownMedia):
                await on_disk(self._media.delete, owner, url_fetch.media_id)

    async def _fetch(self, owner: str, url_fetch: UrlFetch) -> MediaRecord:
        """Return a URL's medium, fetching the URL unless the medium exists."""
        try:
            return await on_disk(self._media.get, owner, url_fetch.media_id)
        except UnknownMedia:
            pass
        for pause_s in (*PAUSES_S, None):
            try:
                return await self._download(owner, url_fetch)
            except Unavailable:
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    async def _download(self, owner: str, url_fetch: UrlFetch) -> MediaRecord:
        limit_s, limit_bytes = self._settings.url_timeout_s, self._settings.max_upload_bytes
        store_file = partial(ingest, store=self._media, probe=self._probe, max_bytes=limit_bytes, media_id=url_fetch.media_id)
        async with (
            checked_client(self._settings) as client,
            fetch(client, url_fetch.url, timeout_s=limit_s, max_bytes=limit_bytes) as (name, chunks),
        ):
            return await store_file(chunks, owner=owner, name=url_fetch.name or name, source="url")
