"""Tokens with which processes of the suite act on behalf of an owner.

The gateway calls services for an owner whose key it does not know: only the hash of a key is kept.
"""

import hmac
import time
from hashlib import sha256
from pathlib import Path

from shared.keys.access import Access
from shared.keys.secret_file import derived_key

PREFIX, PURPOSE = "rwi", "internal requests"
VALID_S = 300.0
"""Seconds for which a token is valid. Clocks of several machines may differ by as much."""


def internal_token(data_dir: Path, owner: str, *, max_jobs: int | None = None) -> str:
    """Return a token that acts for `owner` for a few minutes.

    `max_jobs`: quota of unfinished jobs of the API key that is acted for.
    """
    text = f"{PREFIX}.{owner}.{int(time.time())}" + (f".{max_jobs}" if max_jobs is not None else "")
    return f"{text}.{_signature(data_dir, text)}"


def internal_access(data_dir: Path, token: str) -> Access | None:
    """Return the access that an internal token grants.

    None for any other text.
    """
    text, _, signature = token.rpartition(".")
    parts = text.split(".")
    if len(parts) not in (3, 4) or parts[0] != PREFIX or any(not part.isdecimal() or len(part) > 12 for part in parts[2:]):
        return None
    if abs(time.time() - int(parts[2])) > VALID_S or not hmac.compare_digest(signature, _signature(data_dir, text)):
        return None
    return Access(owner=parts[1], name="the suite", max_jobs=int(parts[3]) if len(parts) == 4 else None, internal=True)


def _signature(data_dir: Path, text: str) -> str:
    return hmac.digest(derived_key(data_dir, PURPOSE), text.encode(), sha256).hex()
