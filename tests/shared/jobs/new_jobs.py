"""Checked requests for tests of the jobs table."""

from typing import Any

from shared.jobs.database.rows import NewJob
from shared.jobs.record import PRIORITIES
from shared.media.ids import new_id

OWNER = "k0123456789abcdef"


def new_job(**values: Any) -> NewJob:
    """Return a job of OWNER with the given `values`."""
    plain = {
        "id": new_id(),
        "owner": OWNER,
        "service": "effects",
        "operation": "effects.motion-trails",
        "version": 1,
        "priority": PRIORITIES["normal"],
        "inputs": {"video": "0" * 26},
        "params": {},
        "metadata": {},
        "webhook": None,
        "cache": True,
        "name": None,
        "deadline_at": None,
        "listed": True,
        "preview": None,
        "idempotency_key": None,
        "fingerprint": "x",
    }
    return NewJob(**plain | values)
