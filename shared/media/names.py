"""Cleaning and conversion of file names given by users.

They are shown and used for downloads, never for paths on the server.
"""

import mimetypes
import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

from shared.media.characters import JOINERS, is_readable

MAX_CHARS = 200
_KEPT = "LMNS"
"""Unicode categories that `plain_stem` keeps: letters, marks, numbers, symbols."""
_ASCII_SYMBOLS = "$+<=>^`|~"
_STEM_BYTES = 160
"""Maximum length, in bytes, that a user's file name adds to another name. File systems take names of 255 bytes."""
SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


def safe_name(name: str, *, default: str = "unnamed") -> str:
    """Return a name without folders, control characters and invisible characters.

    The result has at most 200 characters; it is `default` if nothing is left.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    clean = "".join(filter(is_readable, last)).strip(" ." + JOINERS)
    if len(clean) > MAX_CHARS:
        suffix = PurePosixPath(clean).suffix[:16]
        clean = clean[: MAX_CHARS - len(suffix)] + suffix
    return clean or default


def plain_stem(stem: str, *, default: str) -> str:
    """Replace spaces and punctuation in a name by hyphens, and shorten the name.

    Letters of all scripts, digits and pictographs stay. The result is `default` if nothing is left.
    """
    printable = "".join(char if _is_kept(char) else " " for char in unicodedata.normalize("NFC", stem))
    plain = re.sub(" +", "-", printable.strip(" -" + JOINERS))
    while len(plain.encode()) > _STEM_BYTES:
        plain = plain[:-1]
    return plain or default


def _is_kept(char: str) -> bool:
    return char in "_-" + JOINERS or (unicodedata.category(char)[0] in _KEPT and char not in _ASCII_SYMBOLS)


def as_text(name: str) -> str:
    """Convert a file name to valid UTF-8.

    Names on disk may be arbitrary bytes.
    """
    return name.encode(errors="replace").decode()


def download_name(name: str, *, content_type: str, suffix: str) -> str:
    """Return `name`, with `suffix` added if the name does not fit the content type.

    The suffix keeps programs from opening the file as another kind.
    """
    fits = name.lower().endswith(suffix) or mimetypes.guess_type(name)[0] == content_type
    return name if fits else name + suffix


def content_disposition(name: str, *, download: bool) -> str:
    """Build a Content-Disposition header (RFC 6266).

    Names beyond ASCII are encoded by RFC 5987.
    """
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in name)
    value = f'{"attachment" if download else "inline"}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
