"""Extractions: jobs on the files in a folder of the server.

When the job ends, its pictures are delivered into another folder, and processed videos are renamed. A record on disk lists these steps, so
that any process of the service can finish an extraction, also after a restart. Several extractions run at once, but only one processes a
given video.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from services.aesthetics.folders.folder_files import deliver, folder_within, mark
from shared.errors import Invalid, ReelwrightError, UnknownJob, UnknownMedia
from shared.http.operations.submission import submit
from shared.jobs import JobRequest, Status
from shared.media.disk import on_disk, write_atomically
from shared.media.ingestion import ingest
from shared.media.names import as_text
from shared.operation import Operation, Params
from shared.runtime import Runtime

SHARED = "aesthetics"
"""Name of the folder for extractions in the data folder. It contains one folder per owner (`public` without API keys)."""

_RECORDS = ".extractions"
_CHUNK_BYTES = 1024 * 1024
_WAIT_S = 3600.0
"""Longest time, in seconds, that a process waits for the job it started."""
_WATCH_S = 5.0
"""Seconds between two searches for ended jobs of unfinished extractions. Every process of the service searches."""
_LOCK_S = 0.1
"""Interval, in seconds, between attempts to lock a folder."""

log = logging.getLogger(__name__)


class FolderFile(BaseModel):
    """A file of the input folder, with its id in the media store."""

    name: str
    media_id: str


class Extraction(BaseModel):
    """Record of an extraction: its job, folders and files.

    `files`: the files of the job. Records of an earlier release call them `taken`.
    """

    extractor: str
    job_id: str = ""
    owner: str
    input_directory: Path
    output_directory: Path
    prefix: str = Field("", description="Prefix that marks processed files. Empty: they are not marked.")
    picture_prefix: str = Field("", description="Prefix of the names of delivered pictures.")
    files: list[FolderFile] = Field([], validation_alias=AliasChoices("files", "taken"))


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Pictures and processed files of an ended extraction job, for delivery.

    `archive`: zip file of the pictures; None if there is none. `images`: names of the pictures to deliver. `processed`: whether each input
    file was processed completely; None if the job has no result.
    """

    archive: Path | None
    images: tuple[str, ...]
    processed: tuple[bool, ...] | None

    @classmethod
    def of(cls, result: Mapping[str, Any], archive: Path | None) -> Self:
        """Create the delivery of a job from its `result` and the zip file `archive`."""
        images = tuple(item["image"] for item in result.get("items", ()))
        processed = tuple(source["processed"] for source in result["sources"]) if "sources" in result else None
        return cls(archive=archive, images=images, processed=processed)


class Extractions:
    """Manager of extractions, which starts them and delivers their results."""

    def __init__(self, runtime: Runtime):
        self._runtime = runtime
        self._tasks: set[asyncio.Task[None]] = set()
        self._reported: set[Path] = set()

    def root(self, owner: str) -> Path:
        """Return the folder that contains an owner's input and output folders."""
        return self._runtime.settings.data_dir.absolute() / SHARED / owner

    def resume(self) -> None:
        """Start the task that finishes extractions of an earlier process.

        The task also finishes extractions that other processes of the service left unfinished. Call this in the event loop.
        """
        self._in_background(self._watch())

    async def close(self) -> None:
        """Stop all background tasks and keep the records."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start(
        self, extraction: Extraction, files: Sequence[Path], operation: Operation, params: Params, port: str
    ) -> tuple[Extraction, dict[str, str]]:
        """Start an extraction: submit a job on the `files` that no other extraction uses.

        Returns the extraction and the refused files with the reasons. If no file is left, `job_id` stays empty. Raises the errors of
        `submit`, and then deletes the media made of the files.
        """
        operation.check_available(params)  # before anything is copied
        refused: dict[str, str] = {}
        async with AsyncExitStack() as stack:
            if extraction.prefix:
                await stack.enter_async_context(self._locked_folder(extraction))
            try:
                for path in files:
                    if not await on_disk(self._is_taken, extraction, path.name):
                        try:
                            extraction.files.append(FolderFile(name=path.name, media_id=await self._ingest(path, extraction.owner)))
                        except (ReelwrightError, OSError) as error:
                            refused[as_text(path.name)] = _reason(error)
                if not extraction.files:
                    return extraction, refused
                request = JobRequest(
                    inputs={port: [file.media_id for file in extraction.files]},
                    metadata={"extractor": extraction.extractor},
                    cache=False,
                )
                job = await submit(operation, request, params=params, owner=extraction.owner, runtime=self._runtime)
            except BaseException:
                for file in extraction.files:
                    with suppress(UnknownMedia):
                        await on_disk(self._runtime.media.delete, extraction.owner, file.media_id)
                raise
            extraction.job_id = job.id
            record = await on_disk(_write, self.root(extraction.owner) / _RECORDS, extraction)
        self._in_background(self._finish(record, _WAIT_S))
        return extraction, refused

    def running(self, owner: str) -> list[Extraction]:
        """Return an owner's unfinished extractions, oldest first."""
        running = []
        for path in sorted((self.root(owner) / _RECORDS).glob("*.json")):
            with suppress(OSError, ValidationError):
                running.append(Extraction.model_validate_json(path.read_bytes()))
        return running

    def _is_taken(self, extraction: Extraction, name: str) -> bool:
        """Return whether another extraction uses the file `name`.

        Only extractions that mark their files count.
        """
        running = self.running(extraction.owner)
        in_folder = (job for job in running if job.input_directory == extraction.input_directory and job.prefix)
        return bool(extraction.prefix) and any(file.name == name for job in in_folder for file in job.files)

    @asynccontextmanager
    async def _locked_folder(self, extraction: Extraction) -> AsyncIterator[None]:
        """Hold the input folder's lock while the block runs.

        Other requests, of all processes, then wait before they take files of the folder.
        """
        name = hashlib.sha256(os.fsencode(extraction.input_directory)).hexdigest()[:32]
        file = await on_disk(_lock_file, self.root(extraction.owner) / _RECORDS / f"{name}.lock")
        with file:
            while not _try_lock(file):
                await asyncio.sleep(_LOCK_S)  # a blocking lock in a thread could use up all threads
            yield

    async def _ingest(self, path: Path, owner: str) -> str:
        """Copy the input file `path` into the media store, and return the medium's id.

        Later changes in the input folder then do not affect the job. Raises Invalid for a name that is not UTF-8,
        and the errors of `ingest`.
        """
        if as_text(path.name) != path.name:
            raise Invalid("The file name is not UTF-8: rename the file.")
        file = await on_disk(_open_regular, path)
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
        """Every _WATCH_S seconds, finish the extractions whose jobs have ended.

        Covers extractions of earlier processes, and extractions that could not be finished before.
        """
        while True:
            for record in await on_disk(self._records):
                await self._finish(record, 0)
            await asyncio.sleep(_WATCH_S)

    def _records(self) -> list[Path]:
        """Return the record files of all unfinished extractions."""
        return sorted((self._runtime.settings.data_dir.absolute() / SHARED).glob(f"*/{_RECORDS}/*.json"))

    async def _finish(self, record: Path, wait_s: float) -> None:
        """Finish an extraction if its job ends within `wait_s` seconds.

        `record`: file of the extraction.
        """
        try:
            extraction = Extraction.model_validate_json(await on_disk(record.read_bytes))
            job = await self._runtime.jobs.wait(extraction.owner, extraction.job_id, wait_s)
            if not job.status.ended:
                return
            archive = None
            if job.status is Status.SUCCEEDED and "images" in job.outputs:
                archive = await on_disk(self._runtime.media.content_path, extraction.owner, job.outputs["images"].id)
            delivery = Delivery.of(job.result or {}, archive)
            await on_disk(_settle, record, extraction, delivery, self.root(extraction.owner))
        except FileNotFoundError:
            pass  # another process has finished the extraction
        except (UnknownJob, UnknownMedia, ValueError) as error:
            log.warning("an extraction cannot be finished and is dropped: %s", error)
            record.unlink(missing_ok=True)
        except Exception as error:  # an error must not end `_watch`
            if record not in self._reported:
                self._reported.add(record)
                log.warning("an extraction could not be finished yet and will be tried again: %s", error)


def _reason(error: ReelwrightError | OSError) -> str:
    """Return why a file was refused, without paths of the server."""
    if isinstance(error, ReelwrightError):
        return str(error.problem()["detail"])
    return error.strerror or type(error).__name__


def _settle(record: Path, extraction: Extraction, delivery: Delivery, root: Path) -> None:
    """Deliver an extraction's pictures, mark its videos, delete its record.

    Does nothing if another process is doing it. Repeating it after a crash is harmless. Raises Invalid if a folder has been replaced by a
    link since the start.
    """
    with record.open("rb") as file:
        if not _try_lock(file):
            return
        if delivery.archive is not None:
            for folder in (extraction.input_directory, extraction.output_directory):
                folder_within(root, str(folder.relative_to(root)))
            deliver(delivery.archive, delivery.images, extraction.output_directory, prefix=extraction.picture_prefix)
        if extraction.prefix and delivery.processed is not None:
            for video, processed in zip(extraction.files, delivery.processed, strict=True):
                if processed:
                    mark(extraction.input_directory / video.name, extraction.prefix)
        record.unlink(missing_ok=True)


def _write(folder: Path, extraction: Extraction) -> Path:
    """Write an extraction's record to a folder, and return its path."""
    path = folder / f"{extraction.job_id}.json"
    write_atomically(path, extraction.model_dump_json(indent=1))
    return path


def _lock_file(path: Path) -> BinaryIO:
    """Open the lock file `path`; create it if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def _try_lock(file: BinaryIO) -> bool:
    """Try to lock a file, and return whether that succeeded.

    The lock is held until the file is closed.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, without following a link or waiting at a pipe."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while block := await on_disk(file.read, _CHUNK_BYTES):
        yield block
