"""The sample clip and picture of every installation. The examples on the API pages use them."""

import asyncio
import logging

from shared.errors import ReelwrightError, UnknownMedia
from shared.http.service import SAMPLES
from shared.media.store import NewMedium
from shared.operation import SUFFIXES, Kind
from shared.runtime import Runtime
from shared.settings import PUBLIC

DRAW = {Kind.VIDEO: "gateway.media.sample_drawing:draw_clip", Kind.IMAGE: "gateway.media.sample_drawing:draw_picture"}
"""Functions called in a child process, so that the gateway itself never loads numpy."""

RETRIES_S = (5, 30, 120, 600, 0)  # a busy machine or a full disk may recover
log = logging.getLogger(__name__)


async def ensure_sample(runtime: Runtime) -> None:
    """Make the samples for every owner that lacks them. Failures are logged and retried: the suite works without samples."""
    missing = [(owner, kind) for owner in runtime.settings.owners.values() or [PUBLIC] for kind in SAMPLES]
    for pause_s in RETRIES_S:
        missing = [(owner, kind) for owner, kind in missing if not await _ensure(runtime, owner, kind)]
        if not missing:
            return
        await asyncio.sleep(pause_s)


async def _ensure(runtime: Runtime, owner: str, kind: Kind) -> bool:
    """Make the sample unless it exists. Returns False if that fails."""
    try:
        await asyncio.to_thread(runtime.media.get, owner, SAMPLES[kind])
    except UnknownMedia:
        try:
            await _make(runtime, owner, kind)
        except (ReelwrightError, OSError) as error:
            log.warning("the sample %s could not be made: %s", kind, error)
            return False
    return True


async def _make(runtime: Runtime, owner: str, kind: Kind) -> None:
    with runtime.media.incoming() as incoming:
        path = incoming.folder / f"sample{SUFFIXES[kind]}"
        await runtime.work(DRAW[kind], {"path": str(path)})
        probed = await runtime.probe(path)
        sample = NewMedium(
            media_id=SAMPLES[kind],
            owner=owner,
            name=path.name,
            kind=kind,
            content_type=probed["content_type"],
            suffix=probed["suffix"],
            source="upload",
            media=probed["media"],
            expires=False,
        )
        await asyncio.to_thread(runtime.media.publish, incoming, sample, file=path)
