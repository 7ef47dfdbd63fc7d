"""The database tables of jobs, events, logs and webhooks.

The database is SQLite (WAL mode) or Postgres. DBOS keeps its own tables in the same database, so that a job and its place in the queue are
written in one transaction.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

METADATA = MetaData()

JOBS = Table(
    "reelwright_jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("version", Integer),
    Column("status", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("started_at", Float(53)),
    Column("completed_at", Float(53)),
    Column("expires_at", Float(53)),
    Column("inputs", JSON, nullable=False),
    Column("params", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("fetches", JSON(none_as_null=True)),  # URLs among the inputs, see UrlFetch; null without
    Column("name", Text),
    Column("deadline_at", Float(53)),  # Unix time at which the job fails if it is not finished
    Column("webhook", JSON),
    Column("idempotency_key", Text),
    Column("fingerprint", Text, nullable=False),
    Column("listed", Boolean),  # whether lists contain the job and its outputs; null in jobs of earlier releases, which they do
    Column("preview", JSON(none_as_null=True)),  # the part that a preview shows, see JobPreview; null for other jobs
    Column("cache", Boolean),  # whether an earlier result may be used; null in jobs of earlier releases, for which it may not
    Column("cached", Boolean),  # whether an earlier result was used
    Column("result_key", Text),  # digest of all that a result depends on, in jobs that succeeded; see running/earlier_results.py
    Column("attempt", Integer, nullable=False, default=0),  # grows with every start; an outcome counts only for the latest
    Column("interrupted", Integer, nullable=False, default=0),  # starts that a shutdown interrupted
    Column("progress", JSON),
    Column("outputs", JSON, nullable=False, default=dict),
    Column("result", JSON),
    Column("error", JSON),
    Column("warnings", JSON, nullable=False, default=list),
    Column("metrics", JSON, nullable=False, default=dict),
    UniqueConstraint("owner", "idempotency_key"),
    Index("reelwright_jobs_by_time", "owner", "id"),
    Index("reelwright_jobs_by_operation", "operation", "status", "id"),
    Index("reelwright_jobs_by_result", "owner", "result_key"),
    Index("reelwright_jobs_by_queue", "status", "service", "priority", "created_at"),
)

EVENTS = Table(
    "reelwright_job_events",
    METADATA,
    Column("job_id", Text, ForeignKey(JOBS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("data", JSON, nullable=False),
)

LOGS = Table(
    "reelwright_job_logs",
    METADATA,
    Column("job_id", Text, ForeignKey(JOBS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("text", Text, nullable=False),
)
"""The last lines of each job's worker process."""

WEBHOOKS = Table(
    "reelwright_webhooks",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text),
    Column("created_at", Float(53), nullable=False),
    Column("webhook", JSON, nullable=False),
    Index("reelwright_webhooks_by_owner", "owner"),
)
"""Standing webhooks, which report all listed jobs of their owner."""

DELIVERIES = Table(
    "reelwright_webhook_deliveries",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("job_id", Text, ForeignKey(JOBS.c.id, ondelete="CASCADE"), nullable=False),
    Column("webhook_id", Text),  # of a standing webhook; null: the job's own
    Column("event", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("tried_at", Float(53)),
    Column("answer", Integer),  # HTTP status of the last answer
    Column("error", Text),
    Index("reelwright_webhook_deliveries_by_job", "job_id", "id"),
)
"""The messages of webhooks, sent or not."""

CONNECT_TIMEOUT_S = 4
SCHEMA_LOCK = 7_733_577
"""Number of the Postgres advisory lock that a process holds while it creates tables."""


def connect(url: str, data_dir: Path) -> sa.Engine:
    """Create a database engine, which connects on first use.

    `url`: the database; if empty, the SQLite file in `data_dir`.
    """
    if not url:
        url = f"sqlite:///{data_dir.resolve() / 'jobs.sqlite'}"
    parsed = sa.make_url(url)
    if server := parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    patience = {"connect_timeout": CONNECT_TIMEOUT_S} if server else {}
    engine = sa.create_engine(parsed, pool_size=10, max_overflow=20, pool_pre_ping=server, connect_args=patience)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def make_tables(engine: sa.Engine) -> None:
    """Create the missing tables, columns and indexes.

    For SQLite, also the folder of the database file.
    """
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))
        METADATA.create_all(connection)
        _add_missing_columns(connection)
        _add_missing_indexes(connection)


def _add_missing_columns(connection: sa.Connection) -> None:
    """Add columns that tables of an earlier release lack."""
    for table in METADATA.tables.values():
        existing = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in existing:
                kind = column.type.compile(connection.dialect)
                connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"))


def _add_missing_indexes(connection: sa.Connection) -> None:
    """Add indexes that tables of an earlier release lack."""
    for table in METADATA.tables.values():
        existing = {index["name"] for index in sa.inspect(connection).get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in existing:
                index.create(connection)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Set the pragmas of an SQLite connection.

    WAL lets readers go on during a write; IMMEDIATE makes writers wait instead of failing half-way.
    """
    connection.isolation_level = "IMMEDIATE"
    for pragma in ("journal_mode=WAL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
