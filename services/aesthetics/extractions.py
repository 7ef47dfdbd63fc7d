"""Jobs on folders of the server: files become media, a job runs, its pictures are put into a folder, and the videos are marked.

What is left to do when a job ends is on disk before it starts, so that it is done after a restart, too. Several may run at once; a file
that one has taken is not taken by another.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, Field, ValidationError

from services.aesthetics.folders import deliver, mark
from shared.errors import ReelwrightError, UnknownJob, UnknownMedia
from shared.jobs import JobRequest, Status
from shared.media.disk import on_disk
from shared.media.ingest import ingest
from shared.operation import Operation, Params
from shared.runtime import Runtime
from shared.service import submit

SHARED = "aesthetics"
"""Folder in the data folder, with one for each owner (`public` without API keys), that these endpoints work in."""

_RECORDS = ".extractions"
_CHUNK_BYTES = 1024 * 1024
_LOOK_S = 3600.0

log = logging.getLogger(__name__)


class Taken(BaseModel):
    """A file of the folder, and the medium that was made of it."""

    name: str
    media_id: str


class Extraction(BaseModel):
    """One job on a folder, and what is to be done when it ends."""

    extractor: str
    job_id: str = ""
    owner: str
    input_directory: Path
    output_directory: Path
    prefix: str = Field("", description="What processed files are marked with; empty: they are not.")
    taken: list[Taken] = []


class Extractions:
    """The extractions of this installation."""

    def __init__(self, runtime: Runtime):
        self._runtime = runtime
        self._following: set[asyncio.Task[None]] = set()

    def root(self, owner: str) -> Path:
        """The folder that an owner's folders lie in."""
        return self._runtime.settings.data_dir.absolute() / SHARED / owner

    def resume(self) -> None:
        """Go on with what an earlier process of this service left; call it in the event loop."""
        for record in sorted((self._runtime.settings.data_dir.absolute() / SHARED).glob(f"*/{_RECORDS}/*.json")):
            self._follow(record)

    async def close(self) -> None:
        """Stop following; the records stay."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    async def start(
        self, extraction: Extraction, files: Sequence[Path], operation: Operation, params: Params, port: str
    ) -> tuple[Extraction, dict[str, str]]:
        """Take the files that nobody has taken, and submit a job on them; the extraction, and the files that were refused, with why.

        Raises what submitting raises; then nothing is left behind. Where every file was refused or taken, `job_id` stays empty.
        """
        refused: dict[str, str] = {}
        try:
            for path in files:
                if not await on_disk(self._is_taken, extraction, path.name):
                    try:
                        extraction.taken.append(Taken(name=path.name, media_id=await self._ingest(path, extraction.owner)))
                    except (ReelwrightError, OSError) as error:
                        refused[path.name] = error.detail if isinstance(error, ReelwrightError) else str(error)
            if not extraction.taken:
                return extraction, refused
            request = JobRequest(inputs={port: [one.media_id for one in extraction.taken]}, metadata={"extractor": extraction.extractor})
            job = await submit(operation, request, params=params, owner=extraction.owner, runtime=self._runtime)
        except BaseException:
            for one in extraction.taken:
                with suppress(UnknownMedia):
                    await on_disk(self._runtime.media.delete, extraction.owner, one.media_id)
            raise
        extraction.job_id = job.id
        self._follow(await on_disk(_write, self.root(extraction.owner) / _RECORDS, extraction))
        return extraction, refused

    def running(self, owner: str) -> list[Extraction]:
        """The extractions of an owner that are not over, the oldest first."""
        found = []
        for path in sorted((self.root(owner) / _RECORDS).glob("*.json")):
            with suppress(OSError, ValidationError):
                found.append(Extraction.model_validate_json(path.read_bytes()))
        return found

    def _is_taken(self, extraction: Extraction, name: str) -> bool:
        others = (one for one in self.running(extraction.owner) if one.input_directory == extraction.input_directory and one.prefix)
        return bool(extraction.prefix) and any(taken.name == name for other in others for taken in other.taken)

    async def _ingest(self, path: Path, owner: str) -> str:
        """Copy a file of the folder into the store: what is changed in the folder must not change a medium."""
        file = await on_disk(_opened, path)
        try:
            record = await ingest(
                _chunks(file),
                store=self._runtime.media,
                probe=self._runtime.probe,
                owner=owner,
                name=path.name,
                source="upload",
                max_bytes=self._runtime.settings.max_upload_bytes,
            )
        finally:
            file.close()
        return record.id

    def _follow(self, record: Path) -> None:
        task = asyncio.create_task(self._finish(record))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _finish(self, record: Path) -> None:
        """Wait for the job of a record, then do what the record says."""
        try:
            extraction = Extraction.model_validate_json(await on_disk(record.read_bytes))
            while not (job := await self._runtime.jobs.wait(extraction.owner, extraction.job_id, _LOOK_S)).status.ended:
                pass
            archive = None
            if job.status is Status.SUCCEEDED and "images" in job.outputs:
                archive = await on_disk(self._runtime.media.content_path, extraction.owner, job.outputs["images"].id)
            await on_disk(_settle, record, extraction, job.result or {}, archive)
        except (UnknownJob, UnknownMedia, FileNotFoundError) as error:
            log.warning("an extraction is given up: %s", error)
            record.unlink(missing_ok=True)
        except (ReelwrightError, OSError, ValidationError) as error:
            log.warning("an extraction could not be finished; the next start of the service tries again: %s", error)


def _settle(record: Path, extraction: Extraction, result: dict[str, Any], archive: Path | None) -> None:
    """Deliver the pictures and mark the videos, in one process only; again after a crash is the same."""
    with record.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if archive is not None:
            deliver(archive, [item["image"] for item in result.get("items", [])], extraction.output_directory)
            if extraction.prefix:
                for taken, source in zip(extraction.taken, result.get("sources", []), strict=True):
                    if source["processed"]:
                        mark(extraction.input_directory / taken.name, extraction.prefix)
        record.unlink(missing_ok=True)


def _write(folder: Path, extraction: Extraction) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{extraction.job_id}.json"
    beside = path.with_suffix(".part")
    with beside.open("w") as file:
        file.write(extraction.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return path


def _opened(path: Path) -> BinaryIO:
    """A regular file of a folder; a link in its place is not followed."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while block := await on_disk(file.read, _CHUNK_BYTES):
        yield block
