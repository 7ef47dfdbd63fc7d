"""Jobs that make views of clips: proxies, strips and waveforms.

A view is a small file that the media service makes from a clip when the view is first requested.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.routing.upstream import Refused, Upstreams, credentials
from shared.errors import Conflict, NotFound, UnknownMedia
from shared.jobs import Job, Status
from shared.jobs.view_names import PROXY, view_key
from shared.media.record import MediaRecord
from shared.operation import Kind
from shared.runtime import Runtime

TRY_AGAIN_S = 30
"""Seconds before a failed job is repeated, if its failure may be temporary."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A kind of view, such as a proxy or a waveform.

    `name`: the operation that makes it, without `media.`. `title`: its name in messages.
    """

    name: str
    title: str


VIEWS: Mapping[str, View] = {
    view.name: view for view in (View(name=PROXY, title="proxy"), View(name="strip", title="strip"), View(name="peaks", title="waveform"))
}


@dataclass(frozen=True)
class ViewDesk:
    """Finder of the jobs that make views; it starts missing jobs."""

    upstreams: Upstreams
    runtime: Runtime

    async def job(self, owner: str, view: View, media_id: str, alpha: str | None = None) -> Job:
        """Return the job that makes a view of a clip, started if missing.

        `alpha`: id of a matte to put into the view. Raises UnknownMedia; NotFound for a kind without this view; the
        failure of the job, as a Refused; and what submitting raises.
        """
        for item_id in (media_id, *([alpha] if alpha else [])):
            record = await asyncio.to_thread(self.runtime.media.get, owner, item_id)
            if record.kind is not Kind.VIDEO:
                raise NotFound(f"{record.name} is of kind {record.kind.value}: only a video has a {view.title}.")
        job = await self.runtime.jobs.by_key(owner, view_key(view.name, media_id, alpha))
        if job is not None and await self._outdated(owner, job):
            await self.runtime.jobs.delete(owner, job.id)
            job = None
        if job is None:
            job = await self._start(owner, view, media_id, alpha)
        if job.status in (Status.FAILED, Status.CANCELED):
            problem = job.error or Conflict(f"The job {job.id}, which makes the {view.title}, was canceled.").problem()
            raise Refused(problem, int(problem["status"]))
        return job

    async def start_proxies(self, owner: str, media_ids: list[str]) -> None:
        """Start the jobs that make proxies of the videos among `media_ids`.

        Left out are media that do not exist (the request that names them is refused later), and unlisted ones such as
        proxies, which are small already.
        """
        for media_id in dict.fromkeys(media_ids):
            with suppress(UnknownMedia):
                record = await asyncio.to_thread(self.runtime.media.get, owner, media_id)
                if record.kind is Kind.VIDEO and record.listed:
                    await self.job(owner, VIEWS[PROXY], media_id)

    async def _start(self, owner: str, view: View, media_id: str, alpha: str | None) -> Job:
        headers = credentials(self.runtime.settings, owner) | {"Idempotency-Key": view_key(view.name, media_id, alpha)}
        inputs = {"video": media_id} | ({"alpha": alpha} if alpha else {})
        body = {"inputs": inputs, "priority": "idle", "listed": False}
        return Job.model_validate(await self.upstreams.ask("media", "POST", f"/{view.name}/jobs", headers=headers, json=body))

    async def _outdated(self, owner: str, job: Job) -> bool:
        """Return whether the view that `job` made must be made again.

        True if the view's files are gone, or if its job failed for a reason that may be temporary.
        """
        if job.status is Status.SUCCEEDED:
            return not await asyncio.to_thread(self._exist, owner, list(job.outputs.values()))
        if not job.status.ended or job.completed_at is None:
            return False
        may_pass = job.status is Status.CANCELED or int((job.error or {}).get("status", 500)) >= 500
        return may_pass and datetime.now(UTC) - job.completed_at > timedelta(seconds=TRY_AGAIN_S)

    def _exist(self, owner: str, records: list[MediaRecord]) -> bool:
        try:
            for record in records:
                self.runtime.media.content_path(owner, record.id)
        except UnknownMedia:
            return False
        return True
