"""The sample clip and picture that every installation has: the examples of the API pages run on it as they stand."""

import asyncio
import logging

from shared.errors import ReelwrightError, UnknownMedia
from shared.operation import SUFFIXES, Kind
from shared.runtime import Runtime
from shared.service import SAMPLES
from shared.settings import PUBLIC

DRAW = {Kind.VIDEO: "gateway.sample_drawing:draw_clip", Kind.IMAGE: "gateway.sample_drawing:draw_picture"}
"""Called in a process of its own; the gateway itself does without numpy."""

log = logging.getLogger(__name__)


async def ensure_sample(runtime: Runtime) -> None:
    """Make them for every owner that has none. A failure is logged: the suite works without them."""
    for owner in runtime.settings.owners.values() or [PUBLIC]:
        for kind, media_id in SAMPLES.items():
            try:
                await asyncio.to_thread(runtime.media.get, owner, media_id)
            except UnknownMedia:
                try:
                    await _make(runtime, owner, kind)
                except (ReelwrightError, OSError) as error:
                    log.warning("the sample %s could not be made: %s", kind, error)


async def _make(runtime: Runtime, owner: str, kind: Kind) -> None:
    with runtime.media.incoming() as incoming:
        path = incoming.folder / f"sample{SUFFIXES[kind]}"
        await runtime.work(DRAW[kind], {"path": str(path)})
        found = await runtime.probe(path)
        await asyncio.to_thread(
            runtime.media.publish,
            incoming,
            file=path,
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
