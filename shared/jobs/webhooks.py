"""Telling the end of a job to an address, signed (Standard Webhooks) and retried."""

import base64
import ipaddress
import json
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
from dbos import DBOS
from standardwebhooks import Webhook as Signer

from shared.errors import Invalid
from shared.jobs.ledger import Ledger
from shared.jobs.record import Webhook
from shared.net.addresses import check_address
from shared.net.download import check_url, checked_client
from shared.settings import Settings

ATTEMPTS, FIRST_WAIT_S, BACKOFF = 8, 2.0, 3.0
TIMEOUT_S = 15.0
log = logging.getLogger(__name__)


class Undelivered(Exception):
    """The receiver did not take the message; it is tried again."""


def stored(webhook: Webhook | None, settings: Settings) -> dict[str, Any] | None:
    """What is kept of a webhook with its job. Raises Invalid where it has no usable secret, ForbiddenAddress where it is told at once
    that its address is not reached; names are looked up, and checked again, when the message is sent."""
    if webhook is None:
        return None
    host = check_url(str(webhook.url)).host
    with suppress(ValueError):
        check_address(str(ipaddress.ip_address(host)), host=host, allowed=settings.url_allow_networks)
    secret = webhook.secret or settings.webhook_secret
    if secret is None:
        raise Invalid("The webhook has no `secret` to be signed with, and the server has none of its own (REELWRIGHT_WEBHOOK_SECRET).")
    try:
        Signer(base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True))
    except Exception as error:  # the library has a class of its own for an empty secret
        raise Invalid("The webhook's `secret` is not one: `whsec_` followed by base64 is asked for.") from error
    return {"url": str(webhook.url), "secret": secret.get_secret_value(), "events": list(webhook.events)}


def workflow(ledger: Ledger, settings: Settings) -> Callable[[str], Coroutine[Any, Any, None]]:
    """The DBOS workflow that tells one job's end; DBOS tries its step again, and takes it up after a restart."""

    @DBOS.step(
        name="deliver",
        retries_allowed=True,
        max_attempts=ATTEMPTS,
        interval_seconds=FIRST_WAIT_S,
        backoff_rate=BACKOFF,
        should_retry=lambda error: isinstance(error, Undelivered),
    )
    async def deliver(job_id: str) -> None:
        await send(ledger, settings, job_id)

    async def tell(job_id: str) -> None:
        try:
            await deliver(job_id)
        except Exception as error:  # whatever it is, it must not be tried for ever, and the job itself is done
            log.warning("the webhook of job %s was given up: %s", job_id, error)

    return tell


async def send(ledger: Ledger, settings: Settings, job_id: str) -> None:
    """One attempt. Raises Undelivered where another may help."""
    with ledger.engine.connect() as connection:
        found = ledger.webhook(connection, job_id)
    if found is None:
        return  # the job was deleted in the meantime
    owner, webhook = found
    job = ledger.get(owner, job_id)
    sent_at = datetime.now(UTC)
    message = json.dumps({"type": f"job.{job.status}", "timestamp": sent_at.isoformat(), "data": job.model_dump(mode="json")})
    headers = {
        "content-type": "application/json",
        "webhook-id": f"{job_id}-{job.status}",
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Signer(webhook["secret"]).sign(f"{job_id}-{job.status}", sent_at, message),
    }
    try:
        async with checked_client(settings) as client:
            answer = await client.post(webhook["url"], content=message, headers=headers, timeout=TIMEOUT_S, follow_redirects=False)
    except httpx.HTTPError as error:
        raise Undelivered(f"{webhook['url']}: {error}") from error
    if not answer.is_success:
        raise Undelivered(f"{webhook['url']} answered {answer.status_code}")
