"""Transfer of media and jobs from one owner to another."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from shared.errors import Conflict
from shared.jobs.database.rows import OPEN
from shared.jobs.database.tables import JOBS, WEBHOOKS, connect, make_tables
from shared.media.ids import is_id, is_owner
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """Numbers of transferred jobs and media."""

    jobs: int
    media: int


def adopt(settings: Settings, *, source: str, target: str) -> Adopted:
    """Transfer the media and jobs of the owner `source` to `target`.

    Returns their numbers. Media that the target has already, such as the samples, stay. An idempotency key that the target has used is
    dropped from the adopted job. Raises Conflict while a job of `source` is unfinished: it would write its outputs for the former owner.
    """
    if not is_owner(source) or source == target:
        wrong = "is already the owner of this key" if source == target else "is not the name of an owner"
        raise Conflict(f"{source!r} {wrong}. `reelwright keys list` shows the owners.")
    engine = connect(settings.database, settings.data_dir)
    make_tables(engine)
    try:
        with engine.begin() as connection:
            if connection.scalar(sa.select(JOBS.c.id).where(JOBS.c.owner == source, JOBS.c.status.in_(OPEN))) is not None:
                raise Conflict(f"The owner {source!r} has unfinished jobs: wait until they end, or cancel them.")
            query = sa.select(JOBS.c.idempotency_key).where(JOBS.c.owner == target, JOBS.c.idempotency_key.is_not(None))
            used_keys: list[str | None] = list(connection.scalars(query))
            connection.execute(
                JOBS.update().where(JOBS.c.owner == source, JOBS.c.idempotency_key.in_(used_keys)).values(idempotency_key=None)
            )
            jobs = connection.execute(JOBS.update().where(JOBS.c.owner == source).values(owner=target)).rowcount
            connection.execute(WEBHOOKS.update().where(WEBHOOKS.c.owner == source).values(owner=target))
            media = _move(settings.data_dir / "media" / source, settings.data_dir / "media" / target)
    finally:
        engine.dispose()
    return Adopted(jobs=jobs, media=media)


def _move(source: Path, target: Path) -> int:
    moved = 0
    target.mkdir(parents=True, exist_ok=True)
    for folder in sorted(source.glob("*")) if source.is_dir() else ():
        if is_id(folder.name):
            with suppress(OSError):  # the target has it: renaming never replaces a folder with files
                os.rename(folder, target / folder.name)
                moved += 1
    return moved
