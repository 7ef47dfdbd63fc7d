"""Temporary names for files that are renamed into place when complete.

Folders get such names, too.
"""

import secrets
from pathlib import Path

_LONGEST = 50  # characters of the name to keep, of up to four bytes each: file systems allow 255 bytes


def partial_path(path: Path, suffix: str = "") -> Path:
    """Return a unique hidden path beside `path`.

    It ends in `suffix`; renaming it to `path` is atomic.
    """
    return path.with_name(f".{path.stem[:_LONGEST]}.{secrets.token_hex(6)}.part{suffix}")
