"""Send webhooks when jobs end: signed (Standard Webhooks) and retried."""

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
from shared.jobs.database.ledger import Ledger
from shared.jobs.record import Webhook
from shared.keys.sealing import PREFIX, seal, unseal
from shared.keys.secret_file import derived_key
from shared.net.addresses import check_address
from shared.net.download import check_url, checked_client
from shared.settings import Settings

PURPOSE = "webhook secrets"
ATTEMPTS, FIRST_WAIT_S, BACKOFF = 8, 2.0, 3.0
TIMEOUT_S = 15.0
log = logging.getLogger(__name__)


class Undelivered(Exception):
    """The receiver did not accept the message; another attempt follows."""


def webhook_record(webhook: Webhook | None, settings: Settings) -> dict[str, Any] | None:
    """Return a webhook in the form that is stored with its job.

    The secret is sealed; null stands for the server's own.

    Raises Invalid without a usable secret, and ForbiddenAddress for a literal IP address that is not allowed. Host names are resolved and
    checked when the message is sent.
    """
    if webhook is None:
        return None
    host = check_url(str(webhook.url)).host
    with suppress(ValueError):
        check_address(str(ipaddress.ip_address(host)), host=host, allowed=settings.url_allow_networks)
    secret = webhook.secret or settings.webhook_secret
    if secret is None:
        raise Invalid("The webhook has no `secret`, and the server has none of its own (REELWRIGHT_WEBHOOK_SECRET).")
    try:
        Signer(base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True))
    except Exception as error:  # the library has a class of its own for an empty secret
        raise Invalid("The webhook's `secret` is invalid: it must be `whsec_` followed by base64.") from error
    own = webhook.secret and seal(webhook.secret.get_secret_value(), derived_key(settings.data_dir, PURPOSE))
    return {"url": str(webhook.url), "secret": own, "events": list(webhook.events)}


def opened(webhook: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return a stored webhook with its own secret in plain text; null stands for the server's own.

    Raises Invalid if the installation's secret has changed.
    """
    sealed = webhook["secret"]
    if sealed is None or not sealed.startswith(PREFIX):  # jobs of earlier releases keep it in plain text
        return webhook
    try:
        return webhook | {"secret": unseal(sealed, derived_key(settings.data_dir, PURPOSE))}
    except ValueError as error:
        raise Invalid(f"The secret of the webhook cannot be read: {error}. Send the request again.") from error


def workflow(ledger: Ledger, settings: Settings) -> Callable[[str], Coroutine[Any, Any, None]]:
    """Return the DBOS workflow that sends one webhook.

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
    async def deliver(job_id: str) -> None:
        await send(ledger, settings, job_id)

    async def notify(job_id: str) -> None:
        try:
            await deliver(job_id)
        except Exception as error:  # no error may make the workflow run for ever; the job itself is done
            log.warning("the webhook of job %s was given up: %s", job_id, error)

    return notify


async def send(ledger: Ledger, settings: Settings, job_id: str) -> None:
    """Send a webhook once.

    Raises Undelivered if another attempt may help.
    """
    with ledger.engine.connect() as connection:
        stored_webhook = ledger.webhook(connection, job_id)
    if stored_webhook is None:
        return  # the job was deleted in the meantime
    owner, webhook = stored_webhook
    secret = opened(webhook, settings)["secret"] or (settings.webhook_secret and settings.webhook_secret.get_secret_value())
    if not secret:
        log.warning("the webhook of job %s is not sent: the server's own secret (REELWRIGHT_WEBHOOK_SECRET) is gone", job_id)
        return
    job = ledger.get(owner, job_id)
    sent_at = datetime.now(UTC)
    message = json.dumps({"type": f"job.{job.status}", "timestamp": sent_at.isoformat(), "data": job.model_dump(mode="json")})
    headers = {
        "content-type": "application/json",
        "webhook-id": f"{job_id}-{job.status}",
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Signer(secret).sign(f"{job_id}-{job.status}", sent_at, message),
    }
    try:
        async with checked_client(settings) as client:
            answer = await client.post(webhook["url"], content=message, headers=headers, timeout=TIMEOUT_S, follow_redirects=False)
    except httpx.HTTPError as error:
        raise Undelivered(f"{webhook['url']}: {error}") from error
    if not answer.is_success:
        raise Undelivered(f"{webhook['url']} answered {answer.status_code}")
