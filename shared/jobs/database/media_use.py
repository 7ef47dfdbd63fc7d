"""Search for jobs by the media that they read or wrote."""

from typing import Any

import sqlalchemy as sa

from shared.jobs.database.rows import OPEN
from shared.jobs.database.tables import JOBS


class MediaUse:
    """Search for jobs by the media that they read or wrote. All calls block."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine

    def unlisted_with(self, owner: str, media_id: str) -> dict[str, list[str]]:
        """Find ended, unlisted jobs that read a medium; return their outputs' ids.

        The ids are by job id. An unlisted job appears in no list.
        """
        ended = JOBS.c.status.not_in(OPEN)
        query = sa.select(JOBS.c.id, JOBS.c.inputs, JOBS.c.outputs).where(JOBS.c.owner == owner, JOBS.c.listed.is_(sa.false()), ended)
        with self._engine.connect() as connection:
            rows = connection.execute(query)
            return {row.id: [output["id"] for output in row.outputs.values()] for row in rows if media_id in media_ids(row.inputs, {})}

    def reader(self, owner: str, media_id: str) -> str | None:
        """Return the id of an unfinished job that reads a medium.

        None if no job reads it.
        """
        query = sa.select(JOBS.c.id, JOBS.c.inputs, JOBS.c.params).where(JOBS.c.owner == owner, JOBS.c.status.in_(OPEN))
        with self._engine.connect() as connection:
            return next((row.id for row in connection.execute(query) if media_id in media_ids(row.inputs, row.params)), None)

    def referenced(self) -> set[str]:
        """Return the ids of all media that stored jobs read or wrote."""
        ids: set[str] = set()
        with self._engine.connect() as connection:
            for row in connection.execute(sa.select(JOBS.c.inputs, JOBS.c.params, JOBS.c.outputs)):
                ids |= media_ids(row.inputs, row.params) | {output["id"] for output in row.outputs.values()}
        return ids


def media_ids(inputs: dict[str, Any], params: dict[str, Any]) -> set[str]:
    """Return the ids of the media in a job's inputs and params.

    Includes the media that the steps of a pipeline read.
    """
    ids = {item for source in inputs.values() for item in (source if isinstance(source, list) else [source]) if item}
    steps = params.get("steps")
    for step in steps if isinstance(steps, list) else []:
        ids |= media_ids(step.get("inputs", {}), {})
    return ids
