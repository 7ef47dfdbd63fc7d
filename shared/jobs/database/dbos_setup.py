"""Configuration of DBOS (the job queues), and recovery of dead processes' jobs."""

import logging

import sqlalchemy as sa
from dbos import DBOS
from dbos._error import DBOSAwaitedWorkflowCancelledError, DBOSNonExistentWorkflowError

APPLICATION = "reelwright"
# Application version that DBOS gets. Its default, a hash of the source, would strand the waiting jobs after an upgrade. Change it only if a
# new version cannot run the jobs that an old one accepted.
VERSION = "1"
UNUSED_POLL_S = 60.0
"""Interval at which DBOS looks for schedules, which this project does not use."""
LISTENER_POLL_S = 1.0
"""Interval at which DBOS's listener checks whether it has to end. Nothing uses its notifications, so a slow check does no harm."""
JOB = "job"
"""Name of the workflow that runs a job."""


def configure(engine: sa.Engine, *, executor: str) -> None:
    """Configure DBOS for this process.

    DBOS keeps its tables in the database of `engine` and runs under the id `executor`. `DBOS.launch` starts it.
    """
    logging.getLogger("dbos").addFilter(_is_error)
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_engine": engine,
            "system_database_url": engine.url.render_as_string(hide_password=False),
            "executor_id": executor,
            "application_version": VERSION,
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": LISTENER_POLL_S,
            "scheduler_polling_interval_sec": UNUSED_POLL_S,
            "log_level": "ERROR",
            "max_executor_threads": 8,
        }
    )


def busy_executors(engine: sa.Engine) -> set[str]:
    """Return the executor ids of the processes that have unfinished workflows."""
    return {executor for executor in _unfinished(engine, "executor_id") if executor}


def jobs_of(engine: sa.Engine, executor: str) -> set[str]:
    """Return the ids of the unfinished jobs of the process `executor`."""
    return _unfinished(engine, "workflow_uuid", name=JOB, executor_id=executor)


def recover(executor: str) -> None:
    """Put the unfinished jobs of the dead process `executor` back into their queues."""
    DBOS._recover_pending_workflows([executor])


def first_line(error: BaseException) -> str:
    """Return the first line of an error message.

    Database drivers add pages of text after it.
    """
    return (str(error) or type(error).__name__).splitlines()[0]


def _unfinished(engine: sa.Engine, column: str, **equal: str) -> set[str]:
    """Return a column's values in DBOS's unfinished workflows, filtered by `equal`."""
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    conditions = [sa.column(name, sa.String) == value for name, value in {"status": "PENDING", **equal}.items()]
    query = sa.select(sa.column(column, sa.String)).select_from(sa.table("workflow_status", schema=schema)).where(*conditions).distinct()
    with engine.connect() as connection:
        return set(connection.scalars(query))


def _is_error(record: logging.LogRecord) -> bool:
    """Return whether a log record of DBOS reports a real error.

    A workflow that is canceled, or deleted as it ends, is none.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], DBOSAwaitedWorkflowCancelledError | DBOSNonExistentWorkflowError))
