"""A filter of stored jobs, for lists and deletions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from shared.jobs.database.tables import JOBS
from shared.jobs.record import Status


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """A filter that selects some of an owner's listed jobs.

    None or empty: no condition. `parent`: id of the pipeline whose steps to take. `name`: a part of the job's name, in any case.
    `metadata`: top-level key -> text or number. Times are Unix times in seconds; `created_before` is exclusive.
    """

    service: str | None = None
    operation: str | None = None
    status: Status | None = None
    name: str | None = None
    parent: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    created_after: float | None = None
    created_before: float | None = None

    def conditions(self, owner: str) -> list[sa.ColumnElement[bool]]:
        """Return the filter as SQL conditions on the jobs table."""
        metadata = dict(self.metadata) | ({"pipeline": self.parent} if self.parent else {})
        return [
            JOBS.c.owner == owner,
            JOBS.c.listed.is_not(sa.false()),
            *([JOBS.c.service == self.service] if self.service else []),
            *([JOBS.c.operation == self.operation] if self.operation else []),
            *([JOBS.c.status == self.status.value] if self.status else []),
            *([JOBS.c.name.icontains(self.name, autoescape=True)] if self.name else []),
            *([JOBS.c.created_at >= self.created_after] if self.created_after is not None else []),
            *([JOBS.c.created_at < self.created_before] if self.created_before is not None else []),
            # SQLite returns numbers as such: the cast makes both databases compare text.
            *(sa.cast(JOBS.c.metadata[key].as_string(), sa.Text) == value for key, value in metadata.items()),
        ]
