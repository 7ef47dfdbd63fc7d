"""Sample media that every owner gets: a clip, a picture, a matte, a background.

The examples on the API pages use them.
"""

import asyncio
import logging
from types import NoneType

from shared.errors import ReelwrightError, UnknownMedia
from shared.file_calls import FileRequest
from shared.media.store import NewMedium
from shared.operation import SUFFIXES, Kind, Sample
from shared.runtime import Runtime
from shared.sample_ids import SAMPLES
from shared.worker_call import Target

NAMES = {Sample.CLIP: "sample", Sample.PICTURE: "sample", Sample.MATTE: "sample matte", Sample.PLATE: "sample plate"}
KINDS = {Sample.CLIP: Kind.VIDEO, Sample.PICTURE: Kind.IMAGE, Sample.MATTE: Kind.VIDEO, Sample.PLATE: Kind.IMAGE}
DRAW = {
    sample: Target(name=f"gateway.media.sample_drawing:draw_{sample}", request=FileRequest, answer=NoneType, writes=("path",))
    for sample in Sample
}
"""Functions that draw the samples. A child process runs them, so that the gateway itself never loads numpy."""

RETRIES_S = (2, 5, 10, 20, 30, 60, 120, 300, 600, 0)
"""Seconds to wait after each attempt. Attempts fail on a busy machine or a full disk."""

LOOK_S = 10.0
"""Seconds between two checks for owners without sample media."""
log = logging.getLogger(__name__)


async def ensure_sample(runtime: Runtime) -> None:
    """Keep creating the sample media that owners lack, until canceled.

    Owners are looked for at intervals, because keys may be added at any time. Failures are logged and retried; the suite also works without
    samples.
    """
    served: set[str] = set()
    while True:
        for owner in runtime.keys.owners():
            if owner not in served:
                served.add(owner)
                await _ensure_all(runtime, owner)
        await asyncio.sleep(LOOK_S)


async def _ensure_all(runtime: Runtime, owner: str) -> None:
    """Create an owner's missing sample media, and try again after failures."""
    missing = list(SAMPLES)
    for pause_s in RETRIES_S:
        missing = [sample for sample in missing if not await _ensure(runtime, owner, sample)]
        if not missing:
            return
        await asyncio.sleep(pause_s)


async def _ensure(runtime: Runtime, owner: str, sample: Sample) -> bool:
    """Create a sample medium unless the owner has it.

    Returns False if that fails.
    """
    try:
        await asyncio.to_thread(runtime.media.get, owner, SAMPLES[sample])
    except UnknownMedia:
        try:
            await _make(runtime, owner, sample)
        except (ReelwrightError, OSError) as error:
            log.warning("the sample %s could not be made: %s", sample, error)
            return False
    return True


async def _make(runtime: Runtime, owner: str, sample: Sample) -> None:
    with runtime.media.incoming() as incoming:
        path = incoming.folder / f"{NAMES[sample]}{SUFFIXES[KINDS[sample]]}"
        await runtime.work(DRAW[sample], FileRequest(path=str(path)))
        probed = await runtime.probe(path)
        medium = NewMedium(
            media_id=SAMPLES[sample],
            owner=owner,
            name=path.name,
            kind=KINDS[sample],
            content_type=probed.content_type,
            suffix=probed.suffix,
            source="upload",
            media=probed.media,
            expires=False,
        )
        await asyncio.to_thread(runtime.media.publish, incoming, medium, file=path)
