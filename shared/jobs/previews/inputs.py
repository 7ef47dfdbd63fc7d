"""Inputs of previews: proxies in place of videos, once they are made."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.errors import Invalid, OperationFailed
from shared.jobs.database.ledger import Claim, Ledger
from shared.jobs.previews.params import Scale, Window, preview_params, window_of
from shared.jobs.previews.views import PROXY, view_key
from shared.jobs.record import Job, Status
from shared.media.record import MediaRecord
from shared.media.store import MediaStore
from shared.operation import Kind, Operation

POLL_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A preview that is ready to run.

    `cut`: the window to cut out of the videos; None if the operation reads the part itself, or the whole.
    """

    claim: Claim
    window: Window
    cut: Window | None


@dataclass(frozen=True)
class PreviewInputs:
    """The proxies of an installation's media."""

    ledger: Ledger
    media: MediaStore

    async def prepared(self, claim: Claim, operation: Operation) -> Prepared:
        """Wait for the proxies of a preview, and write which part it shows.

        The gateway has started the jobs that make the proxies. Raises Invalid if it has not, and OperationFailed if one failed.
        """
        assert claim.preview is not None
        videos = await asyncio.to_thread(self._videos, claim, operation)
        if not videos:
            raise Invalid("The request has no video: there is nothing to preview.")
        proxies = {media_id: await self._proxy(claim.owner, media_id) for media_id in videos}
        main = next(iter(videos))
        about = videos[main].media or {}
        length_s = about.get("duration_s") or (proxies[main].media or {}).get("duration_s") or 0.0
        window = window_of(claim.params, at_s=claim.preview["at_s"], seconds=claim.preview["seconds"], length_s=length_s)
        scale = Scale(width=about["width"], height=about["height"], proxy_width=(proxies[main].media or {})["width"])
        params = preview_params(operation, claim.params, window=window, length_s=length_s, scale=scale)
        cut = window if operation.preview_kind == "cut" else None
        if operation.preview_kind == "part":
            window = Window(start_s=params["start"], end_s=window.end_s)
        shown = Window(start_s=0.0, end_s=length_s) if operation.preview_kind == "whole" else window
        await asyncio.to_thread(self.ledger.show_preview, claim.id, start_s=shown.start_s, end_s=shown.end_s)
        ids = {media_id: record.id for media_id, record in proxies.items()}
        return Prepared(claim=replace(claim, inputs=_replaced(claim.inputs, ids), params=params), window=shown, cut=cut)

    def _videos(self, claim: Claim, operation: Operation) -> dict[str, MediaRecord]:
        """Return the videos among the inputs, by id, in the order of the operation's declaration."""
        videos = {}
        for name in operation.ports:
            given = claim.inputs.get(name)
            for media_id in given if isinstance(given, list) else [given] if given else []:
                record = self.media.get(claim.owner, media_id)
                if record.kind is Kind.VIDEO:
                    videos[media_id] = record
        return videos

    async def _proxy(self, owner: str, media_id: str) -> MediaRecord:
        while True:
            job = await asyncio.to_thread(self._job, owner, media_id)
            if job is None:
                raise Invalid(f"There is no proxy of {media_id}: previews are started through the gateway, which makes it.")
            if job.status is Status.SUCCEEDED:
                await asyncio.to_thread(self.media.mark_used, owner, job.outputs["proxy"].id)
                return job.outputs["proxy"]
            if job.status.ended:
                detail = (job.error or {}).get("detail") or f"its job {job.id} was canceled"
                raise OperationFailed(f"The preview needs a proxy of {media_id}, which could not be made: {detail}")
            await asyncio.sleep(POLL_S)

    def _job(self, owner: str, media_id: str) -> Job | None:
        stored = self.ledger.by_key(owner, view_key(PROXY, media_id))
        return self.ledger.get(owner, stored[0]) if stored else None


def _replaced(inputs: Mapping[str, object], ids: Mapping[str, str]) -> dict[str, object]:
    def one(given: object) -> object:
        return ids.get(given, given) if isinstance(given, str) else given

    return {name: [one(each) for each in given] if isinstance(given, list) else one(given) for name, given in inputs.items()}
