"""Inputs of previews: a proxy (small copy) replaces each video."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.errors import Invalid
from shared.jobs.database.ledger import Ledger
from shared.jobs.database.rows import Claim
from shared.jobs.made_inputs import succeeded
from shared.jobs.previews.params import Scale, Window, preview_params, window_of
from shared.jobs.view_names import PROXY, view_key
from shared.media.record import MediaRecord
from shared.media.store import MediaStore
from shared.operation import Kind, Operation


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A preview with its inputs and params, ready to run.

    `cut`: the window to cut out of the videos; None if the operation reads the part itself, or the whole.
    """

    claim: Claim
    window: Window
    cut: Window | None


@dataclass(frozen=True)
class PreviewInputs:
    """Supplier of the proxies that previews read in place of videos."""

    ledger: Ledger
    media: MediaStore

    async def prepared(self, claim: Claim, operation: Operation) -> Prepared:
        """Wait for a preview's proxies; return the preview ready to run.

        The gateway has started the jobs that make the proxies. Raises Invalid if it has not, and OperationFailed if one failed.
        """
        requested = claim.preview
        assert requested is not None
        videos = await asyncio.to_thread(self._videos, claim, operation)
        if not videos:
            raise Invalid("The request has no video: there is nothing to preview.")
        proxies = {media_id: await self._proxy(claim.owner, media_id) for media_id in videos}
        main = next(iter(videos))
        about = videos[main].media or {}
        length_s = about.get("duration_s") or (proxies[main].media or {}).get("duration_s") or 0.0
        window = window_of(claim.params, at_s=requested.at_s, seconds=requested.seconds, length_s=length_s)
        scale = Scale(width=about["width"], height=about["height"], proxy_width=(proxies[main].media or {})["width"])
        params = preview_params(operation, claim.params, window=window, length_s=length_s, scale=scale)
        cut = window if operation.preview_kind == "cut" else None
        if operation.preview_kind == "part":
            window = Window(start_s=params["start"], end_s=window.end_s)
        part = Window(start_s=0.0, end_s=length_s) if operation.preview_kind == "whole" else window
        await asyncio.to_thread(self.ledger.set_preview_part, claim.id, start_s=part.start_s, end_s=part.end_s)
        ids = {media_id: record.id for media_id, record in proxies.items()}
        return Prepared(claim=replace(claim, inputs=_replaced(claim.inputs, ids), params=params), window=part, cut=cut)

    def _videos(self, claim: Claim, operation: Operation) -> dict[str, MediaRecord]:
        """Return the videos among the inputs, by media id.

        They are in the order of the operation's declaration. Those that are made for viewers or by previews are left out: they are small
        already.
        """
        videos = {}
        for name in operation.ports:
            source = claim.inputs.get(name)
            for media_id in source if isinstance(source, list) else [source] if source else []:
                record = self.media.get(claim.owner, media_id)
                if record.kind is Kind.VIDEO and record.listed:
                    videos[media_id] = record
        return videos

    async def _proxy(self, owner: str, media_id: str) -> MediaRecord:
        stored = await asyncio.to_thread(self.ledger.by_key, owner, view_key(PROXY, media_id))
        if stored is None:
            raise Invalid(f"The medium {media_id} has no proxy: start previews through the gateway, which makes one.")
        record = (await succeeded(self.ledger, owner, stored[0], f"a proxy of {media_id}")).outputs["proxy"]
        await asyncio.to_thread(self.media.mark_used, owner, record.id)
        return record


def _replaced(inputs: Mapping[str, object], ids: Mapping[str, str]) -> dict[str, object]:
    def replaced(source: object) -> object:
        return ids.get(source, source) if isinstance(source, str) else source

    return {name: [replaced(item) for item in source] if isinstance(source, list) else replaced(source) for name, source in inputs.items()}
