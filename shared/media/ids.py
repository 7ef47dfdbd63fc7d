"""Ids of media, uploads and temporary folders.

The server makes them; they sort by creation time.
"""

import re
import secrets
import time

from shared.errors import UnknownMedia

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
TIME_CHARS, RANDOM_CHARS = 11, 15

ID = re.compile(rf"[{ALPHABET}]{{{TIME_CHARS + RANDOM_CHARS}}}")
OWNER = re.compile(r"public|k[0-9a-f]{16}")


def new_id() -> str:
    """Create an id: 26 characters of Crockford's base 32.

    55 bits of microseconds since 1970, then 75 random bits: a ULID with a finer clock. Ids sort in the order in which files arrive and
    cannot be guessed.
    """
    microseconds = time.time_ns() // 1000
    stamp = "".join(ALPHABET[microseconds >> 5 * place & 31] for place in reversed(range(TIME_CHARS)))
    number = secrets.randbits(5 * RANDOM_CHARS)  # one system call, because after each call other threads of a busy server go first
    return stamp + "".join(ALPHABET[number >> 5 * place & 31] for place in range(RANDOM_CHARS))


def is_id(text: str) -> bool:
    """Check whether `text` has the form of an id.

    Such a text is safe in a path.
    """
    return ID.fullmatch(text) is not None


def is_owner(text: str) -> bool:
    """Check whether `text` has the form of an owner's name.

    Such a text is safe in a path.
    """
    return OWNER.fullmatch(text) is not None


def checked_parts(owner: str, media_id: str) -> tuple[str, str]:
    """Return an owner and a media id, after checking their form.

    Both are folder names in the store. Raises UnknownMedia if one is malformed.
    """
    if not is_owner(owner) or not is_id(media_id):
        raise UnknownMedia(f"There is no medium {media_id[:64]!r}: media ids have 26 characters; POST /v1/media returns one.")
    return owner, media_id
