"""Webhook secrets that earlier releases stored in plain text are sealed at the start."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from shared.jobs.database.rows import StoredWebhook
from shared.jobs.database.store import JobStore
from shared.jobs.database.tables import JOBS, WEBHOOKS
from shared.jobs.record import Webhook
from shared.jobs.webhooks import opened, seal_earlier_secrets, stored_webhook
from shared.keys.sealing import PREFIX
from shared.media.ids import new_id
from shared.settings import Settings
from tests.shared.jobs.new_jobs import new_job

POSTGRES = os.environ.get("REELWRIGHT_TEST_POSTGRES", "")
SECRET, OTHER = "whsec_cGxhaW4gdGV4dCBvZiBhIGpvYg==", "whsec_cGxhaW4gdGV4dCBvZiBhIGtleQ=="
PLAIN = StoredWebhook(url="https://example.org/a", secret=SECRET, events=("succeeded",))


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Return the settings of an installation with an empty database."""
    if request.param == "sqlite":
        yield Settings(data_dir=tmp_path)
        return
    if not POSTGRES:
        pytest.skip("REELWRIGHT_TEST_POSTGRES names no Postgres server")
    name = f"reelwright_{new_id()}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield Settings(data_dir=tmp_path, database_url=sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False))
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def store(settings: Settings) -> Iterator[JobStore]:
    opened_store = JobStore(settings)
    opened_store.open()
    yield opened_store
    opened_store.close()


def insert(store: JobStore, webhooks: Sequence[StoredWebhook | None]) -> None:
    """Insert a job for each webhook."""
    with store.engine.begin() as connection:
        for webhook in webhooks:
            store.ledger.add(connection, new_job(webhook=webhook), queue_limit=1000)


def stored(store: JobStore, table: sa.Table) -> dict[str, str | None]:
    """Return the secret in each row of a table, by address."""
    with store.engine.connect() as connection:
        return {hook["url"]: hook["secret"] for hook in connection.scalars(sa.select(table.c.webhook)) if hook}


def test_secrets_in_plain_text_are_sealed_once(store: JobStore, settings: Settings) -> None:
    sealed = stored_webhook(Webhook(url="https://example.org/sealed", secret=OTHER), settings)  # type: ignore[arg-type]
    without = StoredWebhook(url="https://example.org/servers-own", secret=None, events=("failed",))
    insert(store, [PLAIN, sealed, without, None])
    standing = StoredWebhook(url="https://example.org/standing", secret=OTHER, events=("failed",))
    store.deliveries.add_webhook("public", standing, name=None)

    seal_earlier_secrets(store, settings)
    after = stored(store, JOBS) | stored(store, WEBHOOKS)
    assert after.keys() == {PLAIN.url, sealed.url, without.url, standing.url}
    assert after[sealed.url] == sealed.secret, "a sealed secret stays as it is"
    assert after[without.url] is None
    for webhook in (PLAIN, standing):
        secret = after[webhook.url]
        assert secret is not None
        assert secret.startswith(PREFIX)
        assert opened(StoredWebhook(url=webhook.url, secret=secret, events=webhook.events), settings) == webhook

    seal_earlier_secrets(store, settings)
    assert stored(store, JOBS) | stored(store, WEBHOOKS) == after, "the second start changes nothing"


def test_the_plain_text_leaves_the_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    store = JobStore(settings)
    store.open()
    insert(store, [PLAIN] * 40)  # several pages

    def contents() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.glob("jobs.sqlite*"))

    assert SECRET.encode() in contents()
    seal_earlier_secrets(store, settings)
    assert SECRET.encode() not in contents()
    store.close()
