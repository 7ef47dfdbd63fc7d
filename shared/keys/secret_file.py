"""The installation's secret: a file with 32 random bytes.

Its mode is 0600. All processes of an installation share it. Keys for single purposes are derived from it.
"""

import hmac
import os
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

FILE, BYTES = "secret.key", 32


def derived_key(data_dir: Path, purpose: str) -> bytes:
    """Derive a 32-byte key for one purpose from the installation's secret.

    Creates the installation's secret on first use.
    """
    path = data_dir.absolute() / FILE
    secret = _read(path) or _make(path)
    return hmac.digest(secret, purpose.encode(), sha256)


def _read(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        secret = path.read_bytes()
        if len(secret) == BYTES:
            return secret
        raise ValueError(f"{path} must have {BYTES} bytes, but has {len(secret)}: restore it from a backup, or delete it")
    return None


def _make(path: Path) -> bytes:
    """Create the secret file unless it exists; return the secret."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, secrets.token_bytes(BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    with suppress(FileExistsError):
        os.link(new, path)
    new.unlink()
    key = _read(path)
    assert key is not None
    return key
