"""The parts of one server process: jobs, media, keys, worker pools.

These are the settings, the media store, the jobs and their worker, and the processes that probe files.
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from shared.errors import (
    Conflict,
    OperationFailed,
    ReelwrightError,
    TimedOut,
    Unavailable,
    UnknownJob,
    UnknownMedia,
    UnsupportedMedia,
    WorkerCrashed,
)
from shared.file_calls import FRAME, INSPECT, THUMBNAIL, FileRequest, FrameRequest, ProbedFile, ThumbnailRequest
from shared.jobs import Jobs, JobWorker, Queue
from shared.jobs.database.rows import queue_of
from shared.jobs.previews.inputs import PreviewInputs
from shared.jobs.retention import SweepCounts, sweep
from shared.jobs.running.earlier_results import ResultMemory
from shared.jobs.running.equal_jobs import EqualJobs
from shared.jobs.running.files.reported_outputs import type_fault
from shared.jobs.running.runner import OperationRunner
from shared.jobs.running.sandboxes import Sandboxes
from shared.jobs.running.url_fetcher import UrlFetcher
from shared.keys import KeyRing
from shared.media.disk import on_disk
from shared.media.folder_permissions import close_files
from shared.media.store import MediaStore
from shared.models.devices.device import machine_free_bytes
from shared.models.folder import ModelFolder
from shared.operation import Service
from shared.settings import Settings, usable_cores
from shared.worker import Killed, Limits, WorkerPool
from shared.worker.sandbox import Layer
from shared.worker.sandbox.plan import SandboxMissing
from shared.worker.sandbox.privileges import close_memory
from shared.worker_call import Answer, Request, Target

PROBE_MEMORY_BYTES = 2 * 1024**3
MOST_PROBES, LEAST_PROBES = 8, 2
PROBE_RESIDENT_BYTES, SERVER_RESIDENT_BYTES = 300 * 1024**2, 256 * 1024**2
"""Memory of a probe process and of the server.

Measured during uploads of 8K with 10 bits (`bench_uploads 8k`)."""
PROBE_WAIT_S = 20.0
"""Longest wait of an upload for a probe process. Then the answer is 503, so that a burst of uploads does not wait without end."""
PROBE_MODULE, PACKAGES = "shared.video.loaded_ahead", ("gateway",)
THUMBNAIL_WIDTH = 480
THUMBNAIL_BYTES, PIXEL_BYTES = 16 * 1024**2, 9
"""Maximum size in bytes of a thumbnail, and of one pixel of a frame.

A pixel has 16 bits in each of four channels; PNG adds a little at worst."""
DISK_TIMEOUT_S = 5.0
ERRAND_S, ERRAND_IDLE_S = 900.0, 5.0
SPARES_AFTER_S = 1.0
"""Seconds from the server's start to the first spare child's start. Requests may be waiting for the server."""
RETRY_S = 10
"""Seconds after which a client whose file could not be probed may try again."""
log = logging.getLogger(__name__)


class Runtime:
    """The parts of this process, which run from `start` to `stop`."""

    def __init__(self, settings: Settings, *, keys: KeyRing | None = None):
        """Create all parts without starting them.

        `keys`: by default the keys of the settings and of the key file.
        """
        self.settings = settings
        self.keys = keys or KeyRing(settings)
        self.media = MediaStore(
            settings.data_dir / "media",
            ttl_s=settings.media_ttl_s,
            limit_of=self.keys.max_bytes,
            keep_free_bytes=settings.min_free_bytes,
        )
        self.jobs = Jobs(settings)
        self.memory = ResultMemory(self.jobs.store.history, self.media, ModelFolder(settings.models_folder))
        self._worker = JobWorker(self.jobs, settings, UrlFetcher(settings, self.media, self.probe))
        self._sandboxes = Sandboxes(settings)
        limits = Limits(
            timeout_s=settings.probe_timeout_s,
            memory_bytes=PROBE_MEMORY_BYTES,
            subject="examination of the file",
            timeout_setting="REELWRIGHT_PROBE_TIMEOUT_S",
            module=PROBE_MODULE,
            niceness=0,
            in_copies=True,
        )
        sandbox = partial(self._sandboxes.new, packages=PACKAGES)
        self._probes = WorkerPool(
            size=probe_count(usable_cores(), machine_free_bytes()), limits=limits, idle_s=settings.worker_idle_s, sandbox=sandbox
        )
        errands = replace(limits, timeout_s=ERRAND_S, subject="helper process", timeout_setting="")
        self._errands = WorkerPool(size=1, limits=errands, idle_s=ERRAND_IDLE_S, sandbox=sandbox)
        self._runners: list[OperationRunner] = []
        self._background: list[asyncio.Task[None]] = []

    async def start(self, services: Sequence[Service], more: Mapping[str, Queue] | None = None, *, patient: bool = False) -> None:
        """Start running the jobs of `services` and of the queues in `more`.

        `patient`: see `JobWorker.start`.
        """
        close_memory()
        await asyncio.to_thread(close_files, self.settings.data_dir)
        await asyncio.to_thread(self._sandboxes.open)
        previews = PreviewInputs(self.jobs.store.ledger, self.media)
        equal = EqualJobs(self._worker.take_lock, self._worker.drop_lock)
        self._runners = [
            OperationRunner(service, self.settings, self.media, self.memory, previews, self._sandboxes, self.jobs.store.ledger, equal)
            for service in services
        ]
        queues = {service.name: runner.queue for service, runner in zip(services, self._runners, strict=True)}
        queues |= {
            queue_of(service.name, preview=True): runner.preview_queue for service, runner in zip(services, self._runners, strict=True)
        }
        await self._worker.start(queues | dict(more or {}), patient=patient)
        await asyncio.to_thread(close_files, self.settings.data_dir)  # now there is a database
        self._background = [asyncio.create_task(self._sweep_regularly())]
        if self.settings.spare_workers:
            self._background.append(asyncio.create_task(self._start_spares()))

    @property
    def runs_jobs(self) -> bool:
        """Whether this process runs jobs.

        A runtime that was not started has no database, either.
        """
        return bool(self._runners)

    def end_soon(self) -> None:
        """Prepare the shutdown: start no more jobs, and answer waiting requests.

        After this the server can close.
        """
        self.jobs.stopping = True

    async def stop(self) -> None:
        """Stop all parts.

        Unfinished jobs go on after the next start, or in another process.
        """
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._worker.stop()
        await asyncio.gather(self._probes.close(), self._errands.close(), *(runner.close() for runner in self._runners))
        await asyncio.to_thread(self._sandboxes.close)

    async def troubles(self) -> list[str]:
        """Return the reasons why this process cannot take work; empty if none."""
        starting = [] if self._worker.working else ["the server is starting"]
        return [*(await self.jobs.troubles() or starting), *await self._disk_troubles()]

    def sandbox_layers(self) -> list[Layer]:
        """Return the sandbox's layers, each active or not."""
        return self._sandboxes.layers()

    async def probe(self, path: Path) -> ProbedFile:
        """Probe a file in a limited worker process."""
        probed = await self._look(INSPECT, FileRequest(path=str(path)))
        if probed.media is None or type_fault(probed):
            raise UnsupportedMedia("The file could not be opened: the process that examined it gave it an impossible type.")
        return probed

    async def thumbnail(self, path: Path, output: Path) -> None:
        """Write a JPEG thumbnail of a video, an image or a zip of images."""
        await self._look(THUMBNAIL, ThumbnailRequest(path=str(path), output=str(output), width=THUMBNAIL_WIDTH))
        await on_disk(_check_size, output, THUMBNAIL_BYTES)

    async def frame(self, path: Path, output: Path, number: int) -> None:
        """Write frame `number` of a video or image as a PNG.

        Raises Invalid for a frame that does not exist.
        """
        await self._look(FRAME, FrameRequest(path=str(path), output=str(output), number=number))
        await on_disk(_check_size, output, self.settings.max_pixels * PIXEL_BYTES)

    async def forget_views(self, owner: str, media_id: str) -> None:
        """Delete a medium's views (proxy, strip, waveform) and previews, with their jobs.

        These are all ended, unlisted jobs that read the medium. Outputs that other jobs list stay.
        """
        for job_id, outputs in (await self.jobs.unlisted_with(owner, media_id)).items():
            shared = await self.jobs.shared_outputs(owner, job_id, outputs)
            with suppress(UnknownJob, Conflict):
                await self.jobs.delete(owner, job_id)
            for output in set(outputs) - shared:
                with suppress(UnknownMedia):
                    await asyncio.to_thread(self.media.delete, owner, output)

    async def work(self, target: Target[Request, Answer], request: Request) -> Answer:
        """Call `target`, a short-running function of this project, in a worker process."""
        return await self._errands.call_on_files(target, request)

    async def keep_probe_warm(self) -> None:
        """Keep a probe process ready for the next upload."""
        try:
            await self._probes.keep_warm(1)
        except (ReelwrightError, OSError) as error:
            log.warning("no probe process could be started ahead: %s", error)

    async def sweep(self) -> SweepCounts:
        """Delete all expired jobs and media."""
        return await asyncio.to_thread(sweep, self.jobs.store, self.media, self.settings)

    async def _disk_troubles(self) -> list[str]:
        folder = self.settings.data_dir
        try:
            async with asyncio.timeout(DISK_TIMEOUT_S):
                free_bytes = await asyncio.to_thread(_try_to_write, folder)
        except (OSError, TimeoutError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else f"not within {DISK_TIMEOUT_S:g} s"
            return [f"the data folder cannot be written to: {reason}"]
        least = self.settings.min_free_bytes
        shortage = f"the disk of the data folder has {free_bytes} bytes left, less than {least} (REELWRIGHT_MIN_FREE_BYTES)"
        return [shortage] if free_bytes < least else []

    async def _look(self, target: Target[Request, Answer], request: Request) -> Answer:
        """Call the probing function `target` on the uploaded file that `request` names.

        A crash of the probe process is reported as an unreadable file.
        """
        try:
            return await self._probes.call_on_files(target, request, wait_s=PROBE_WAIT_S)
        except SandboxMissing:
            raise
        except (TimedOut, Killed) as error:  # a busy machine is not the file's fault
            detail = f"The file could not be probed in time: the machine is busy. {error.detail} Try again later."
            raise Unavailable(detail, headers={"Retry-After": str(RETRY_S)}) from error
        except WorkerCrashed as error:
            raise UnsupportedMedia(
                "The file could not be opened: the process that examined it crashed. The file may be damaged."
            ) from error
        except OperationFailed as error:  # also OutOfMemory and TimedOut, whose detail names the limit
            raise UnsupportedMedia(f"The file could not be opened. {error.detail}") from error

    async def _start_spares(self) -> None:
        """Start a spare child process for each service in turn.

        Services that have run a job come first.
        """
        await asyncio.sleep(SPARES_AFTER_S)
        has_run = await asyncio.to_thread(self.jobs.store.history.services)
        runners = sorted(self._runners, key=lambda runner: runner.service not in has_run)
        ready = [runner.service for runner in runners if await runner.keep_spare(has_run=runner.service in has_run)]
        log.info("spare worker processes are ready: %s", ", ".join(ready) or "none, too little memory is free")

    async def _sweep_regularly(self) -> None:
        while True:  # also at the start: a killed process may have left work folders behind
            try:
                swept = await self.sweep()
                if swept != SweepCounts(jobs=0, media=0, folders=0):
                    log.info("deleted %d expired jobs, %d media and %d work folders", swept.jobs, swept.media, swept.folders)
                await asyncio.to_thread(self._sandboxes.tend)
                for runner in self._runners:
                    await asyncio.to_thread(runner.record_models)
            except Exception as error:  # a full disk or a database that is away must not end this loop
                log.warning("the sweep failed; trying again later: %s", error)
            await asyncio.sleep(self.settings.gc_interval_s)


def probe_count(cores: int, free_bytes: int) -> int:
    """Return the number of processes that examine uploads.

    One per core, as far as the free memory suffices.
    """
    fitting = (free_bytes - SERVER_RESIDENT_BYTES) // PROBE_RESIDENT_BYTES
    return max(LEAST_PROBES, min(cores, fitting, MOST_PROBES))


def _check_size(picture: Path, most_bytes: int) -> None:
    """Raise UnsupportedMedia if a picture file has more than `most_bytes` bytes. The server reads frames into memory."""
    if (size := picture.stat().st_size) > most_bytes:
        raise UnsupportedMedia(f"The file could not be opened: the process that examined it wrote a picture of {size} bytes.")


def _try_to_write(folder: Path) -> int:
    """Check that a folder is writable; return its free bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"ready?")
        file.flush()
    return shutil.disk_usage(folder).free
