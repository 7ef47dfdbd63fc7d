"""The sample clip and picture that every installation has: the examples of the API pages run on it as they stand."""

import asyncio
import logging

from shared.errors import ReelwrightError, UnknownMedia
from shared.http.service import SAMPLES
from shared.media.store import NewMedium
from shared.operation import SUFFIXES, Kind
from shared.runtime import Runtime
from shared.settings import PUBLIC

DRAW = {Kind.VIDEO: "gateway.media.sample_drawing:draw_clip", Kind.IMAGE: "gateway.media.sample_drawing:draw_picture"}
"""Called in a process of its own; the gateway itself does without numpy."""

RETRIES_S = (5, 30, 120, 600, 0)  # a machine that is busy now, or whose disk is full, may not be for long
log = logging.getLogger(__name__)


async def ensure_sample(runtime: Runtime) -> None:
    """Make them for every owner that has none. A failure is logged and tried again a few times: the suite works without them."""
    missing = [(owner, kind) for owner in runtime.settings.owners.values() or [PUBLIC] for kind in SAMPLES]
    for pause_s in RETRIES_S:
        missing = [(owner, kind) for owner, kind in missing if not await _there(runtime, owner, kind)]
        if not missing:
            return
        await asyncio.sleep(pause_s)


async def _there(runtime: Runtime, owner: str, kind: Kind) -> bool:
    """Whether the sample is there, made just now if it was not."""
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
        found = await runtime.probe(path)
        sample = NewMedium(
            media_id=SAMPLES[kind],
            owner=owner,
            name=path.name,
            kind=kind,
            content_type=found["content_type"],
            suffix=found["suffix"],
            source="upload",
            media=found["media"],
            expires=False,
        )
        await asyncio.to_thread(runtime.media.publish, incoming, sample, file=path)
