"""The name under which a file or folder is written before it is whole."""

import secrets
from pathlib import Path

_LONGEST = 50  # characters of the name that are kept, of up to four bytes each: file systems take 255 bytes


def partial_path(path: Path, suffix: str = "") -> Path:
    """A hidden name of its own next to `path`, from where it can be renamed to it at once. `suffix`: what it ends in."""
    return path.with_name(f".{path.stem[:_LONGEST]}.{secrets.token_hex(6)}.part{suffix}")
