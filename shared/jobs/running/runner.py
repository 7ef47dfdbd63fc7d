"""Execution of a service's jobs in child processes.

The operation runs in a child process; its outputs are published as media.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from shared.errors import OperationFailed, ReelwrightError, UnknownMedia
from shared.jobs.database.history import EarlierResult
from shared.jobs.database.ledger import Ledger
from shared.jobs.database.rows import Claim
from shared.jobs.estimate import megapixel_frames, video_seconds
from shared.jobs.made_inputs import MadeInputs
from shared.jobs.previews.inputs import PreviewInputs
from shared.jobs.previews.params import Window
from shared.jobs.running.earlier_results import ResultMemory
from shared.jobs.running.equal_jobs import EqualJobs
from shared.jobs.running.files.folders import (
    MEASUREMENTS,
    OUTPUTS,
    changed_at,
    move_files,
    new_job_folder,
    place_inputs,
    work_folder,
)
from shared.jobs.running.files.growing_outputs import within_quota
from shared.jobs.running.files.job_log import JobLogWriter, LogCleaner
from shared.jobs.running.files.publisher import Publisher
from shared.jobs.running.files.reported_outputs import check_outputs
from shared.jobs.running.kills import Kills
from shared.jobs.running.progress_log import ProgressLog
from shared.jobs.running.sandboxes import Sandboxes
from shared.jobs.running.takeover import CHILD_LEASE_S
from shared.jobs.running.worker import Outcome, Queue
from shared.media.measurements import MeasurementStore
from shared.media.store import MediaStore
from shared.models.devices.device import machine_free_bytes
from shared.models.folder import ModelFolder
from shared.models.preparation import make_converted_folders, record_models
from shared.operation import Operation, Service
from shared.settings import Settings
from shared.worker import Limits, WorkerPool
from shared.worker.folders.deletion import delete_tree
from shared.worker.folders.taken_file import take
from shared.worker.limits import Usage
from shared.worker.operation_run import PERFORM, OperationAnswer, OperationCall
from shared.worker.protocol import JobWarning, ProgressUpdate
from shared.worker.slot import Killed, Slot

Value = TypeVar("Value")
SPARE_FREE_BYTES, UNUSED_SPARE_FREE_BYTES = 1024**3, 4 * 1024**3
"""Free memory, in bytes, from which a service gets a spare child process. The second applies to a service that has not run a job yet."""
PREVIEWS = 1
"""Number of previews that one service runs at once."""


class OperationRunner:
    """Runner of one service's jobs, each in a child process."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        media: MediaStore,
        memory: ResultMemory,
        previews: PreviewInputs,
        sandboxes: Sandboxes,
        ledger: Ledger,
        equal: EqualJobs,
    ):
        lease_s = CHILD_LEASE_S if settings.database_url else 0  # with SQLite a frozen process keeps its jobs
        limits = Limits(
            timeout_s=settings.job_timeout_s,
            memory_bytes=settings.job_memory_bytes,
            lease_s=lease_s,
            module=service.module,
            timeout_setting="REELWRIGHT_JOB_TIMEOUT_S",
            memory_setting="REELWRIGHT_JOB_MEMORY_BYTES",
        )
        self._service, self._settings, self._media, self._memory, self._previews = service, settings, media, memory, previews
        self._ledger, self._cleaner, self._made = ledger, LogCleaner(settings), MadeInputs(ledger)
        self._models, self._publisher = ModelFolder(settings.models_folder), Publisher(media)
        self._measurements = MeasurementStore.of(settings.data_dir, ttl_s=settings.media_ttl_s)
        sandbox = partial(sandboxes.new, packages=(service.module.partition(".")[0],), service=service.name)
        self._pool = WorkerPool(size=settings.jobs_at_once, limits=limits, idle_s=settings.worker_idle_s, sandbox=sandbox)
        self._has_run = False
        self._equal = equal
        quick = replace(limits, niceness=0)  # a user waits for previews
        self._preview_pool = WorkerPool(size=PREVIEWS, limits=quick, idle_s=settings.worker_idle_s, sandbox=sandbox)

    @property
    def queue(self) -> Queue:
        """The queue of the service's jobs, without previews."""
        return Queue(concurrency=self._settings.jobs_at_once, run=self.run, discard=self.discard, settled=self._equal.settle)

    @property
    def service(self) -> str:
        """Name of the service."""
        return self._service.name

    async def keep_spare(self, *, has_run: bool) -> bool:
        """Keep a spare child process that has imported the service's operations.

        With it, the next job begins at once. `has_run`: whether the service has run a job before. None is started while too little memory
        is free. Returns whether there is one.
        """
        self._has_run = self._has_run or has_run
        with suppress(ReelwrightError, OSError):  # without a spare child, the first job starts one
            return await self._pool.keep_warm(1, self._has_room)
        return False

    def _has_room(self) -> bool:
        """Return whether the machine has memory for a spare child process."""
        return machine_free_bytes() >= (SPARE_FREE_BYTES if self._has_run else UNUSED_SPARE_FREE_BYTES)

    @property
    def preview_queue(self) -> Queue:
        """The queue of the service's previews."""
        return Queue(concurrency=PREVIEWS, run=self.run_preview, discard=self.discard, settled=self._equal.settle)

    def record_models(self) -> None:
        """Record checksums of the service's manually copied models.

        Blocks on the disk.
        """
        record_models(self._models, self._service.name)

    async def close(self) -> None:
        """End the child processes."""
        await asyncio.gather(self._pool.close(), self._preview_pool.close())

    async def run_preview(self, claim: Claim, progress: ProgressLog) -> Outcome:
        """Run one preview after its videos' proxies are ready."""
        operation = self._declared(claim)
        prepared = await self._previews.prepared(await self._made.complete(claim, progress), operation)
        return await self.run(prepared.claim, progress, cut=prepared.cut)

    async def run(self, claim: Claim, progress: ProgressLog, *, cut: Window | None = None) -> Outcome:
        """Run one job, or reuse an equal job's result.

        An equal job that runs already is waited for. `cut`: the part of the videos that the operation gets; None: all.
        """
        claim = await self._made.complete(claim, progress)
        operation = self._declared(claim)
        depends_on = claim.params | ({"cut": [cut.start_s, cut.end_s]} if cut else {})
        key = await asyncio.to_thread(self._memory.key, operation, owner=claim.owner, inputs=claim.inputs, params=depends_on)
        if key and claim.cache:
            await self._equal.turn(claim.id, claim.owner, key)
            if remembered := await asyncio.to_thread(self._memory.recall, claim.owner, key):
                return await self._recalled(claim, remembered, progress)
        self._has_run = True
        folder = work_folder(self._settings, claim.id)
        began = asyncio.get_running_loop().time()
        usage = Usage()
        try:
            answer = await self._perform(claim, folder, progress, usage, await asyncio.to_thread(self._measurements_key, claim), cut)
            check_outputs(operation, answer.outputs)
            outputs = await run_to_the_end(partial(self._publisher.publish, claim, answer.outputs, folder))
        finally:
            await run_to_the_end(partial(delete_tree, folder))
        run_s = asyncio.get_running_loop().time() - began
        metrics = {
            "queue_s": round(max(0.0, claim.started_at - claim.created_at), 3),
            "run_s": round(run_s, 3),
            "fps": round(progress.frames / run_s, 1) if progress.frames and run_s > 0 else None,
            "peak_memory_bytes": usage.peak_memory_bytes,
            "input_s": await asyncio.to_thread(video_seconds, self._media, claim.owner, claim.inputs.values()),
            "megapixel_frames": await asyncio.to_thread(megapixel_frames, self._media, claim.owner, claim.inputs.values(), claim.params),
            "attempts": claim.attempt,
        }
        records = {name: record.dump() for name, record in outputs.items()}
        return Outcome(result=answer.result, version=operation.version, result_key=key, outputs=records, metrics=metrics)

    async def discard(self, claim: Claim, outcome: Outcome) -> None:
        """Delete the outputs of a run whose job has already ended."""
        for output in outcome.outputs.values() if not outcome.cached else ():
            with suppress(UnknownMedia):
                await asyncio.to_thread(self._media.delete, claim.owner, output["id"])

    def _operation(self, claim: Claim) -> Operation | None:
        """Return the operation of a job; None if this release lacks it."""
        return next((operation for operation in self._service.operations if operation.name == claim.operation), None)

    def _declared(self, claim: Claim) -> Operation:
        """Return the operation of a job; raise OperationFailed if this release lacks it."""
        if (operation := self._operation(claim)) is None:
            raise OperationFailed(f"This release of Reelwright has no operation {claim.operation}.")
        return operation

    async def _recalled(self, claim: Claim, remembered: EarlierResult, progress: ProgressLog) -> Outcome:
        """Return an earlier result as a job's outcome."""
        for warning in remembered.warnings:
            await progress(JobWarning(warning))
        if remembered.progress is not None:
            await progress(ProgressUpdate(**remembered.progress))
        return Outcome(
            result=remembered.result,
            version=remembered.version,
            result_key=remembered.result_key,
            cached=True,
            outputs=remembered.outputs,
            metrics={"queue_s": round(max(0.0, claim.started_at - claim.created_at), 3), "run_s": 0.0, "attempts": claim.attempt},
        )

    async def _perform(
        self, claim: Claim, folder: Path, progress: ProgressLog, usage: Usage, measurements_key: str | None, cut: Window | None
    ) -> OperationAnswer:
        """Run the operation in a child process.

        `measurements_key`: of the measurements that it uses; None: it uses none. `cut`: see `run`.
        """
        await asyncio.to_thread(make_converted_folders, self._models, self._service.name)
        pool = self._pool if claim.preview is None else self._preview_pool
        kills = Kills()
        async with pool.lease(owner=claim.owner) as slot:
            writer = JobLogWriter(self._ledger, self._cleaner, claim, slot.output.text)
            following = asyncio.ensure_future(writer.follow())
            try:
                while True:
                    try:
                        return await self._attempt(slot, claim, folder, progress, usage, measurements_key, cut)
                    except Killed:
                        if not kills.another():
                            raise
                        await asyncio.sleep(kills.pause_s)
            finally:
                following.cancel()
                await run_to_the_end(partial(writer.write, slot.output.text()))

    async def _attempt(
        self, slot: Slot, claim: Claim, folder: Path, progress: ProgressLog, usage: Usage, measurements_key: str | None, cut: Window | None
    ) -> OperationAnswer:
        """Run the operation once in a child process.

        `slot` holds the child; the files of the operation move to `folder`.
        """
        assert slot.sandbox is not None  # the pools of this runner have one
        new_folder = await asyncio.to_thread(new_job_folder, slot, slot.sandbox, folder)
        if measurements_key is not None:
            await asyncio.to_thread(self._measurements.fetch, claim.owner, measurements_key, new_folder / MEASUREMENTS)
        fetched = changed_at(new_folder / MEASUREMENTS)
        slot_folder = await asyncio.to_thread(new_folder.rename, slot.sandbox.outputs / claim.id)
        inputs = await asyncio.to_thread(place_inputs, self._media, slot.sandbox, claim)
        call = OperationCall(
            module=self._service.module,
            operation=claim.operation,
            params=claim.params,
            inputs=inputs,
            folder=str(slot_folder / OUTPUTS),
            measurements=str(slot_folder / MEASUREMENTS) if measurements_key else None,
            cut=(cut.start_s, cut.end_s) if cut else None,
        )
        answer = await within_quota(
            slot.call(PERFORM, call, progress, usage), room=self._media.room, owner=claim.owner, folder=slot_folder / OUTPUTS
        )
        await asyncio.to_thread(move_files, slot_folder, folder)
        measurements = folder / MEASUREMENTS
        if measurements_key is not None and changed_at(measurements) not in (None, fetched):
            await asyncio.to_thread(take, measurements, measurements)
            await asyncio.to_thread(self._measurements.keep, claim.owner, measurements_key, measurements)
        return answer

    def _measurements_key(self, claim: Claim) -> str | None:
        """Return the key of the measurements that a job can reuse, or None."""
        operation = self._operation(claim)
        if (
            operation is None
            or operation.measurement is None
            or not isinstance(media_id := claim.inputs.get(operation.measurement.input), str)
        ):
            return None
        params = operation.params.model_validate(claim.params)
        return operation.measurement.key(self._service.name, params, lambda: self._media.get(claim.owner, media_id).sha256)


async def run_to_the_end(work: Callable[[], Value]) -> Value:
    """Run `work` in a thread; wait for its end even when canceled.

    Returns the result of `work`. A thread cannot be stopped half-way; the task that cancels this one discards the result.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work))
    while not working.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({working})
    return working.result()
