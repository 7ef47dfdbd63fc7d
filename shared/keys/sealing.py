"""Encryption of short secrets for storage.

HMAC-SHA256 in counter mode as a stream cipher, then HMAC over the result (encrypt-then-MAC), since the standard library has no cipher. Each
text has a random nonce.
"""

import base64
import hmac
import secrets
from hashlib import sha256
from itertools import count

PREFIX = "sealed:1:"
NONCE_BYTES, TAG_BYTES = 16, 32


def seal(text: str, key: bytes) -> str:
    """Encrypt a text with a 32-byte key."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    hidden = _mixed(text.encode(), key, nonce)
    return PREFIX + base64.b64encode(nonce + hidden + _tag(key, nonce + hidden)).decode()


def unseal(sealed: str, key: bytes) -> str:
    """Decrypt a text that `seal` encrypted.

    Raises ValueError if it was sealed with another key, or changed.
    """
    try:
        whole = base64.b64decode(sealed.removeprefix(PREFIX), validate=True)
    except ValueError:
        raise ValueError("not a sealed text") from None
    body, tag = whole[:-TAG_BYTES], whole[-TAG_BYTES:]
    if not sealed.startswith(PREFIX) or not hmac.compare_digest(tag, _tag(key, body)):
        raise ValueError("sealed with another key, or changed")
    return _mixed(body[NONCE_BYTES:], key, body[:NONCE_BYTES]).decode()


def _mixed(text: bytes, key: bytes, nonce: bytes) -> bytes:
    stream, cipher = b"", hmac.digest(key, b"cipher", sha256)
    for block in count():
        if len(stream) >= len(text):
            break
        stream += hmac.digest(cipher, nonce + block.to_bytes(8, "big"), sha256)
    return bytes(left ^ right for left, right in zip(text, stream, strict=False))


def _tag(key: bytes, body: bytes) -> bytes:
    return hmac.digest(hmac.digest(key, b"tag", sha256), body, sha256)
