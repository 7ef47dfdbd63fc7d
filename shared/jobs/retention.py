"""Deletion of expired jobs, unreferenced media and abandoned work folders."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from shared.jobs.database.store import JobStore
from shared.media.measurements import MeasurementStore
from shared.media.store import MediaStore
from shared.settings import Settings
from shared.worker.folders.deletion import delete_tree

FREE_FOR_VIEWS = 10
"""Multiple of `min_free_bytes`; unlisted media are deleted while less disk space is free."""


@dataclass(frozen=True, kw_only=True)
class SweepCounts:
    """Numbers of deleted jobs, media and work folders."""

    jobs: int
    media: int
    folders: int


def sweep(store: JobStore, media: MediaStore, settings: Settings) -> SweepCounts:
    """Delete expired jobs, media and measurements, and abandoned work folders.

    Blocking; safe to run from several processes at once.
    """
    expired = store.ledger.expired(time.time())
    for job_id in expired:
        store.forget(job_id)
    removed = media.sweep(datetime.now(UTC), store.media_use.referenced())
    removed += media.sweep_unlisted(most_bytes=settings.view_bytes, free_bytes=FREE_FOR_VIEWS * settings.min_free_bytes)
    MeasurementStore.of(settings.data_dir, ttl_s=media.ttl.total_seconds()).sweep()
    return SweepCounts(jobs=len(expired), media=len(removed), folders=_sweep_work(store, settings.data_dir.absolute() / "work"))


def sweep_offline(settings: Settings) -> SweepCounts:
    """Open the stores and run `sweep` once, for the command `reelwright gc`."""
    store = JobStore(settings)
    store.open()
    try:
        return sweep(store, MediaStore(settings.data_dir / "media", ttl_s=settings.media_ttl_s), settings)
    finally:
        store.close()


def _sweep_work(store: JobStore, work: Path) -> int:
    """Delete the work folders of ended jobs; return the number deleted.

    An operation may have replaced its folder with a file or a link, which are deleted, too.
    """
    folders = {path.name: path for path in work.glob("*")}
    try:
        orphans = store.ledger.ended_among(set(folders)) if folders else set()
    except sa.exc.SQLAlchemyError:
        return 0
    for job_id in orphans:
        delete_tree(folders[job_id])
    return sum(not os.path.lexists(folders[job_id]) for job_id in orphans)
