"""Access to the database tables of standing webhooks and of webhook messages.

A standing webhook reports all listed jobs of its owner.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from shared.errors import Conflict, QuotaExceeded, UnknownDelivery, UnknownWebhook
from shared.jobs.database.rows import StoredWebhook
from shared.jobs.database.tables import DELIVERIES, JOBS, WEBHOOKS
from shared.jobs.record import Delivery, DeliveryStatus, StandingWebhook
from shared.media.ids import new_id

MOST_WEBHOOKS = 16
"""Maximum number of standing webhooks of one owner."""
MOST_LISTED = 500


@dataclass(frozen=True, kw_only=True)
class Message:
    """A webhook message to send, and its receiver."""

    id: str
    message_id: str
    event: str
    owner: str
    job_id: str
    webhook: StoredWebhook


class Deliveries:
    """Access to the tables of standing webhooks and of webhook messages. All calls block."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine

    def add_webhook(self, owner: str, webhook: StoredWebhook, *, name: str | None) -> StandingWebhook:
        """Add a standing webhook. Raises QuotaExceeded."""
        row = {"id": new_id(), "owner": owner, "name": name, "created_at": round(time.time(), 3), "webhook": webhook.dump()}
        with self._engine.begin() as connection:
            count = connection.scalar(sa.select(sa.func.count()).where(WEBHOOKS.c.owner == owner)) or 0
            if count >= MOST_WEBHOOKS:
                raise QuotaExceeded(f"You have {count} webhooks, the maximum. Delete one first.")
            connection.execute(WEBHOOKS.insert().values(**row))
        return _standing(row)

    def webhooks(self, owner: str) -> list[StandingWebhook]:
        """Return the standing webhooks of an owner, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(WEBHOOKS).where(WEBHOOKS.c.owner == owner).order_by(WEBHOOKS.c.id))
            return [_standing(row._asdict()) for row in rows]

    def seal_secrets(self, seal: Callable[[str], str], prefix: str) -> int:
        """Seal the secrets that earlier releases stored in plain text; return their number.

        `prefix`: beginning of a sealed secret. On SQLite the plain text is also overwritten in the file.
        """
        sealed = 0
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            for table in (JOBS, WEBHOOKS):
                secret = table.c.webhook["secret"].as_string()
                is_plain = sa.and_(secret.is_not(None), secret.not_like(f"{prefix}%"))
                for row in connection.execute(sa.select(table.c.id, table.c.webhook).where(is_plain)).all():
                    webhook = row.webhook | {"secret": seal(row.webhook["secret"])}
                    sealed += connection.execute(table.update().where(table.c.id == row.id, is_plain).values(webhook=webhook)).rowcount
        if sealed and self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return sealed

    def delete_webhook(self, owner: str, webhook_id: str) -> None:
        """Delete a standing webhook. Raises UnknownWebhook."""
        with self._engine.begin() as connection:
            if not connection.execute(WEBHOOKS.delete().where(WEBHOOKS.c.owner == owner, WEBHOOKS.c.id == webhook_id)).rowcount:
                raise UnknownWebhook(f"There is no webhook {webhook_id[:64]!r}. GET /v1/webhooks lists yours.")

    def add(self, connection: Connection, job_id: str, event: str) -> list[str]:
        """Insert the webhook messages about an event; return their ids.

        Writes in the caller's transaction: one for the job's own webhook, and one for each standing webhook of its owner that reports the
        event. Those report neither unlisted jobs nor steps of pipelines.
        """
        row = connection.execute(sa.select(JOBS.c.owner, JOBS.c.webhook, JOBS.c.listed, JOBS.c.metadata).where(JOBS.c.id == job_id)).first()
        if row is None:
            return []
        targets: list[str | None] = [None] if row.webhook and event in row.webhook["events"] else []
        if row.listed is not False and "pipeline" not in row.metadata:
            standing = connection.execute(sa.select(WEBHOOKS.c.id, WEBHOOKS.c.webhook).where(WEBHOOKS.c.owner == row.owner))
            targets += [hook.id for hook in standing if event in hook.webhook["events"]]
        return [self._insert(connection, job_id, event, webhook_id, f"{job_id}-{event}") for webhook_id in targets]

    def add_again(self, connection: Connection, job_id: str, delivery_id: str) -> str:
        """Insert a copy of the message `delivery_id`; return the copy's id.

        Writes in the caller's transaction. Raises UnknownDelivery, UnknownWebhook if its receiver was deleted, and Conflict while it is on
        its way.
        """
        row = connection.execute(sa.select(DELIVERIES).where(DELIVERIES.c.id == delivery_id, DELIVERIES.c.job_id == job_id)).first()
        if row is None:
            raise UnknownDelivery(
                f"Job {job_id} has no webhook message {delivery_id[:64]!r}. GET /v1/jobs/{job_id}/deliveries lists its messages."
            )
        equal = (DELIVERIES.c.message_id == row.message_id, DELIVERIES.c.webhook_id.is_not_distinct_from(row.webhook_id))
        waiting = sa.select(DELIVERIES.c.id).where(*equal, DELIVERIES.c.status == DeliveryStatus.PENDING.value)
        if connection.scalar(waiting) is not None:
            raise Conflict("This message is still being sent: wait until it is delivered or has failed.")
        exists = sa.select(WEBHOOKS.c.id).where(WEBHOOKS.c.id == row.webhook_id)
        if row.webhook_id is not None and connection.scalar(exists) is None:
            raise UnknownWebhook(f"The webhook {row.webhook_id} of this message was deleted.")
        return self._insert(connection, job_id, row.event, row.webhook_id, row.message_id)

    def message(self, delivery_id: str) -> Message | None:
        """Return the message with this delivery id, or None.

        None if its job or its webhook was deleted.
        """
        joined = DELIVERIES.join(JOBS, DELIVERIES.c.job_id == JOBS.c.id).outerjoin(WEBHOOKS, DELIVERIES.c.webhook_id == WEBHOOKS.c.id)
        standing = WEBHOOKS.c.webhook.label("standing")
        query = sa.select(DELIVERIES, JOBS.c.owner, JOBS.c.webhook, standing).select_from(joined).where(DELIVERIES.c.id == delivery_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        webhook = None if row is None else row.webhook if row.webhook_id is None else row.standing
        if row is None or not webhook:
            return None
        return Message(
            id=row.id, message_id=row.message_id, event=row.event, owner=row.owner, job_id=row.job_id, webhook=StoredWebhook.load(webhook)
        )

    def record_attempt(self, delivery_id: str, status: DeliveryStatus, *, answer: int | None = None, error: str | None = None) -> None:
        """Record one attempt to send a message."""
        values = {"status": status.value, "answer": answer, "error": error, "tried_at": time.time(), "attempts": DELIVERIES.c.attempts + 1}
        with self._engine.begin() as connection:
            connection.execute(DELIVERIES.update().where(DELIVERIES.c.id == delivery_id).values(**values))

    def give_up(self, delivery_id: str) -> None:
        """Record that a message will not be sent again."""
        waiting = (DELIVERIES.c.id == delivery_id, DELIVERIES.c.status == DeliveryStatus.PENDING.value)
        with self._engine.begin() as connection:
            connection.execute(DELIVERIES.update().where(*waiting).values(status=DeliveryStatus.FAILED.value))

    def of_job(self, job_id: str, ids: Collection[str] = ()) -> list[Delivery]:
        """Return a job's latest webhook messages, oldest first.

        With `ids`: only these.
        """
        conditions = [DELIVERIES.c.job_id == job_id, *([DELIVERIES.c.id.in_(ids)] if ids else [])]
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(DELIVERIES).where(*conditions).order_by(DELIVERIES.c.id.desc()).limit(MOST_LISTED)).all()
        return [Delivery.model_validate(row._asdict() | {"webhook": row.webhook_id}) for row in reversed(rows)]

    def ids_of_job(self, job_id: str) -> list[str]:
        """Return the ids of all webhook messages about a job."""
        with self._engine.connect() as connection:
            return list(connection.scalars(sa.select(DELIVERIES.c.id).where(DELIVERIES.c.job_id == job_id)))

    def _insert(self, connection: Connection, job_id: str, event: str, webhook_id: str | None, message_id: str) -> str:
        delivery_id = new_id()
        if event == "progress" and message_id == f"{job_id}-progress":  # a new message, not a repeated one
            message_id = f"{message_id}-{delivery_id}"
        connection.execute(
            DELIVERIES.insert().values(
                id=delivery_id,
                job_id=job_id,
                webhook_id=webhook_id,
                event=event,
                message_id=message_id,
                created_at=round(time.time(), 3),
                status=DeliveryStatus.PENDING.value,
                attempts=0,
            )
        )
        return delivery_id


def _standing(row: dict[str, Any]) -> StandingWebhook:
    webhook = {name: row["webhook"][name] for name in ("url", "events")}
    return StandingWebhook.model_validate({name: row[name] for name in ("id", "name", "created_at")} | webhook)
