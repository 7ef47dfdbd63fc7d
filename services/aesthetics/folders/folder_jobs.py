"""Jobs on folders of the server: files become media, a job runs, its pictures are put into a folder, and the videos are marked.

What is left to do when a job ends is on disk as soon as it is accepted, so that it is done after a restart, too, or by another process of
the service. Several may run at once; a video that one has taken is not taken by another.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, Field, ValidationError

from services.aesthetics.folders.folders import deliver, folder_within, mark
from shared.errors import Invalid, ReelwrightError, UnknownJob, UnknownMedia
from shared.http.service import submit
from shared.jobs import JobRequest, Status
from shared.media.disk import on_disk, write_atomically
from shared.media.ingest import ingest
from shared.media.names import as_text
from shared.operation import Operation, Params
from shared.runtime import Runtime

SHARED = "aesthetics"
"""Folder in the data folder, with one for each owner (`public` without API keys), that these endpoints work in."""

_RECORDS = ".extractions"
_CHUNK_BYTES = 1024 * 1024
_LOOK_S = 3600.0
_WATCH_S = 5.0
"""How often it is looked for what is left to do, by whichever process."""

_LOCK_S = 0.1

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
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: set[Path] = set()

    def root(self, owner: str) -> Path:
        """The folder that an owner's folders lie in."""
        return self._runtime.settings.data_dir.absolute() / SHARED / owner

    def resume(self) -> None:
        """From now on finish what any process of this service began and has not finished; call it in the event loop."""
        self._in_background(self._watch())

    async def close(self) -> None:
        """Stop following; the records stay."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start(
        self, extraction: Extraction, files: Sequence[Path], operation: Operation, params: Params, port: str
    ) -> tuple[Extraction, dict[str, str]]:
        """Take the files that nobody has taken, and submit a job on them; the extraction, and the files that were refused, with why.

        Raises what submitting raises; then nothing is left behind. Where every file was refused or taken, `job_id` stays empty.
        """
        operation.check_available(params)  # before anything is copied
        refused: dict[str, str] = {}
        async with AsyncExitStack() as stack:
            if extraction.prefix:
                await stack.enter_async_context(self._alone_on(extraction))
            try:
                for path in files:
                    if not await on_disk(self._is_taken, extraction, path.name):
                        try:
                            extraction.taken.append(Taken(name=path.name, media_id=await self._ingest(path, extraction.owner)))
                        except (ReelwrightError, OSError) as error:
                            refused[as_text(path.name)] = error.detail if isinstance(error, ReelwrightError) else str(error)
                if not extraction.taken:
                    return extraction, refused
                request = JobRequest(
                    inputs={port: [one.media_id for one in extraction.taken]}, metadata={"extractor": extraction.extractor}
                )
                job = await submit(operation, request, params=params, owner=extraction.owner, runtime=self._runtime)
            except BaseException:
                for one in extraction.taken:
                    with suppress(UnknownMedia):
                        await on_disk(self._runtime.media.delete, extraction.owner, one.media_id)
                raise
            extraction.job_id = job.id
            record = await on_disk(_write, self.root(extraction.owner) / _RECORDS, extraction)
        self._in_background(self._finish(record, _LOOK_S))
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

    @asynccontextmanager
    async def _alone_on(self, extraction: Extraction) -> AsyncIterator[None]:
        """A block in which no other request, of any process, takes files of this folder."""
        name = hashlib.sha256(os.fsencode(extraction.input_directory)).hexdigest()[:32]
        file = await on_disk(_lock_file, self.root(extraction.owner) / _RECORDS / f"{name}.lock")
        with file:
            while not _locked(file):
                await asyncio.sleep(_LOCK_S)  # not in a thread: those that wait would take all of them
            yield

    async def _ingest(self, path: Path, owner: str) -> str:
        """Copy a file of the folder into the store: what is changed in the folder must not change a medium."""
        if as_text(path.name) != path.name:
            raise Invalid("Its name is not UTF-8: rename it.")
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

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        """Finish what is left, again and again: its process may have ended, or what it needed may have been away."""
        while True:
            for record in await on_disk(self._records):
                await self._finish(record, 0)
            await asyncio.sleep(_WATCH_S)

    def _records(self) -> list[Path]:
        return sorted((self._runtime.settings.data_dir.absolute() / SHARED).glob(f"*/{_RECORDS}/*.json"))

    async def _finish(self, record: Path, wait_s: float) -> None:
        """Where the job of a record ends within `wait_s`, do what the record says."""
        try:
            extraction = Extraction.model_validate_json(await on_disk(record.read_bytes))
            job = await self._runtime.jobs.wait(extraction.owner, extraction.job_id, wait_s)
            if not job.status.ended:
                return
            archive = None
            if job.status is Status.SUCCEEDED and "images" in job.outputs:
                archive = await on_disk(self._runtime.media.content_path, extraction.owner, job.outputs["images"].id)
            await on_disk(_settle, record, extraction, job.result or {}, archive, self.root(extraction.owner))
        except FileNotFoundError:
            pass  # another process was quicker
        except (UnknownJob, UnknownMedia, ValueError) as error:
            log.warning("an extraction is given up: %s", error)
            record.unlink(missing_ok=True)
        except Exception as error:  # whatever it is, the watch has to go on
            if record not in self._told:
                self._told.add(record)
                log.warning("an extraction could not be finished yet, and is tried again: %s", error)


def _settle(record: Path, extraction: Extraction, result: dict[str, Any], archive: Path | None, root: Path) -> None:
    """Deliver the pictures and mark the videos, in one process only; again after a crash is the same.

    Raises Invalid where a link has been put into the way since.
    """
    with record.open("rb") as file:
        if not _locked(file):
            return
        if archive is not None:
            for folder in (extraction.input_directory, extraction.output_directory):
                folder_within(root, str(folder.relative_to(root)))
            deliver(archive, [item["image"] for item in result.get("items", [])], extraction.output_directory)
            if extraction.prefix:
                for taken, source in zip(extraction.taken, result.get("sources", []), strict=True):
                    if source["processed"]:
                        mark(extraction.input_directory / taken.name, extraction.prefix)
        record.unlink(missing_ok=True)


def _write(folder: Path, extraction: Extraction) -> Path:
    path = folder / f"{extraction.job_id}.json"
    write_atomically(path, extraction.model_dump_json(indent=1))
    return path


def _lock_file(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _locked(file: BinaryIO) -> bool:
    """Whether this process got the lock of a file, which it then has until it closes it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(path: Path) -> BinaryIO:
    """A regular file of a folder; a link in its place is not followed."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while block := await on_disk(file.read, _CHUNK_BYTES):
        yield block
