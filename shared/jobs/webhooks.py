"""Delivery of webhook messages: signed (Standard Webhooks) and retried."""

import asyncio
import base64
import ipaddress
import json
import logging
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError
from standardwebhooks import Webhook as Signer

from shared.errors import Invalid, ReelwrightError
from shared.jobs.database.deliveries import Message
from shared.jobs.database.rows import StoredWebhook
from shared.jobs.database.store import JobStore
from shared.jobs.record import DeliveryStatus, Webhook
from shared.keys.sealing import PREFIX, seal, unseal
from shared.keys.secret_file import derived_key
from shared.net.addresses import check_address
from shared.net.download import check_url, checked_client
from shared.settings import Settings

PURPOSE = "webhook secrets"
ATTEMPTS, FIRST_WAIT_S, BACKOFF = 8, 2.0, 3.0
TIMEOUT_S = 15.0
SECRET_BYTES = 32
log = logging.getLogger(__name__)


class Undelivered(Exception):
    """Raised when a receiver did not accept a message and another attempt follows."""


def stored_webhook(webhook: Webhook, settings: Settings) -> StoredWebhook:
    """Convert a webhook to its stored form, with the secret encrypted.

    Raises Invalid without a usable secret, and ForbiddenAddress for a literal IP address that is not allowed. Host names are resolved and
    checked when the message is sent.
    """
    host = check_url(str(webhook.url)).host
    with suppress(ValueError):
        check_address(str(ipaddress.ip_address(host)), host=host, allowed=settings.url_allow_networks)
    secret = webhook.secret or settings.webhook_secret
    if secret is None:
        raise Invalid("The webhook has no `secret`, and the server has no default (REELWRIGHT_WEBHOOK_SECRET): give a `secret`.")
    try:
        Signer(base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True))
    except Exception as error:  # the library has a class of its own for an empty secret
        raise Invalid("The webhook's `secret` is invalid: it must be `whsec_` followed by base64.") from error
    own = seal(webhook.secret.get_secret_value(), derived_key(settings.data_dir, PURPOSE)) if webhook.secret else None
    return StoredWebhook(url=str(webhook.url), secret=own, events=webhook.events)


def opened(webhook: StoredWebhook, settings: Settings) -> StoredWebhook:
    """Return a stored webhook with its secret decrypted.

    A webhook without a secret gets the server's default secret. Raises Invalid if the installation's secret has changed.
    """
    sealed = webhook.secret
    if sealed is None or not sealed.startswith(PREFIX):  # stored by a process of an earlier release that still runs
        return webhook
    try:
        return replace(webhook, secret=unseal(sealed, derived_key(settings.data_dir, PURPOSE)))
    except ValueError as error:
        raise Invalid(f"The secret of the webhook cannot be read: {error}. Send the request again.") from error


def seal_earlier_secrets(store: JobStore, settings: Settings) -> None:
    """Seal the secrets that earlier releases stored in plain text. Blocks."""
    if count := store.deliveries.seal_secrets(lambda text: seal(text, derived_key(settings.data_dir, PURPOSE)), PREFIX):
        log.info("sealed %d webhook secrets of an earlier release", count)


def new_secret() -> str:
    """Return a new signing secret."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def workflow(store: JobStore, settings: Settings) -> Callable[[str], Coroutine[Any, Any, None]]:
    """Return the DBOS workflow that sends one message.

    DBOS retries its step, and resumes the workflow after a restart.
    """

    @DBOS.step(
        name="deliver",
        retries_allowed=True,
        max_attempts=ATTEMPTS,
        interval_seconds=FIRST_WAIT_S,
        backoff_rate=BACKOFF,
        should_retry=lambda error: isinstance(error, Undelivered),
    )
    async def deliver(delivery_id: str) -> None:
        await send(store, settings, delivery_id)

    async def notify(delivery_id: str) -> None:
        try:
            await deliver(delivery_id)
        except Exception as error:  # no error may make the workflow run for ever; the job itself is done
            log.warning("webhook message %s failed and is not sent again: %s", delivery_id, error)
            with suppress(SQLAlchemyError):
                await asyncio.to_thread(store.deliveries.give_up, delivery_id)

    return notify


async def send(store: JobStore, settings: Settings, delivery_id: str) -> None:
    """Try to send a message once; record the attempt.

    Raises Undelivered if another attempt may help.
    """
    message = await asyncio.to_thread(store.deliveries.message, delivery_id) or await asyncio.to_thread(
        _of_earlier_release, store, delivery_id
    )
    if message is None:
        return  # the job or the webhook was deleted in the meantime
    attempt = _Attempt(store, message)
    try:
        answer = await _post(store, settings, message)
    except ReelwrightError as error:
        await attempt.record(DeliveryStatus.FAILED, error=error.problem()["detail"])
        raise
    except httpx.TimeoutException as error:
        await attempt.failed(f"no answer within {TIMEOUT_S:g} seconds", cause=error)
    except httpx.HTTPError as error:
        await attempt.failed("the address could not be reached, or the connection broke", cause=error)
    else:
        if answer.is_success:
            await attempt.record(DeliveryStatus.DELIVERED, answer=answer.status_code)
        else:
            await attempt.failed(f"answered {answer.status_code}", answer=answer.status_code)


@dataclass(frozen=True)
class _Attempt:
    """One attempt to send a message."""

    store: JobStore
    message: Message

    async def record(self, status: DeliveryStatus, *, answer: int | None = None, error: str | None = None) -> None:
        """Store the attempt's outcome in the database."""
        await asyncio.to_thread(partial(self.store.deliveries.record_attempt, self.message.id, status, answer=answer, error=error))

    async def failed(self, reason: str, *, answer: int | None = None, cause: Exception | None = None) -> None:
        """Record that the attempt failed.

        Raises Undelivered if another attempt follows. Progress messages get no second attempt, because they would be out of date.
        """
        final = self.message.event == "progress"
        await self.record(DeliveryStatus.FAILED if final else DeliveryStatus.PENDING, answer=answer, error=reason)
        if not final:
            raise Undelivered(f"{self.message.webhook.url}: {cause or reason}") from cause


async def _post(store: JobStore, settings: Settings, message: Message) -> httpx.Response:
    """Send a signed message; return the receiver's response.

    Raises httpx's errors, ForbiddenAddress, and Invalid without a secret.
    """
    secret = opened(message.webhook, settings).secret or (settings.webhook_secret and settings.webhook_secret.get_secret_value())
    if not secret:
        raise Invalid("The webhook needs the default secret of the server, and REELWRIGHT_WEBHOOK_SECRET is no longer set.")
    job = await asyncio.to_thread(store.ledger.get, message.owner, message.job_id)
    sent_at = datetime.now(UTC)
    body = json.dumps({"type": f"job.{message.event}", "timestamp": sent_at.isoformat(), "data": job.model_dump(mode="json")})
    headers = {
        "content-type": "application/json",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Signer(secret).sign(message.message_id, sent_at, body),
    }
    async with checked_client(settings) as client:
        return await client.post(message.webhook.url, content=body, headers=headers, timeout=TIMEOUT_S, follow_redirects=False)


def _of_earlier_release(store: JobStore, job_id: str) -> Message | None:
    """Return the message of a workflow that an earlier release has queued.

    The workflow's argument is the id of an ended job.
    """
    with store.engine.connect() as connection:
        stored = store.ledger.webhook(connection, job_id)
    if stored is None:
        return None
    owner, webhook = stored
    status = store.ledger.get(owner, job_id).status.value
    return Message(id=job_id, message_id=f"{job_id}-{status}", event=status, owner=owner, job_id=job_id, webhook=webhook)
