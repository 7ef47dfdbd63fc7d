"""Digests of JSON values."""

import hashlib
import json
from typing import Any


def json_digest(value: Any) -> str:
    """Return the SHA-256 digest of a JSON value, in hex.

    Equal values have equal digests, whatever the order of their keys.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
