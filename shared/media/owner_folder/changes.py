"""Size and changes of the folder that holds an owner's media."""

import time
from pathlib import Path

SETTLED_S = 2.0
"""Seconds after which a further change gives a folder another modification time. Earlier ones can have the same time where the
file system's clock is coarse."""


def stored_bytes(folder: Path) -> int:
    """Return the bytes of all media files below `folder`, as quotas count them.

    Unlisted media, such as proxies, count; thumbnails and records do not.
    """
    return sum(_bytes(path) for path in folder.glob("*/content.*"))


def revision(folder: Path) -> str | None:
    """Return a text that differs after every change of the media in `folder`.

    None within SETTLED_S of a change, when a second change could have the same time, and without media.
    """
    try:
        changed_ns = folder.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return str(changed_ns) if time.time() - changed_ns / 1e9 > SETTLED_S else None


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # the medium was deleted meanwhile
        return 0
