"""Search for paths of the server in texts that clients get."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATH = re.compile(r"(?<![\w.~:/-])/(?:tmp|usr|home|root|opt|var|proc|etc|mnt|srv|lib|run|bin)/[^\s'\"),;]+")


def server_paths(texts: Iterable[str], *, sent: str = "") -> list[str]:
    """Return the paths of the server in some texts.

    `sent`: what the client sent; paths in it are the client's own.
    """
    found = []
    for text in texts:
        paths = PATH.findall(text)
        paths += [str(folder) for folder in (ROOT, sys.prefix) if str(folder) in text]
        found += [path for path in paths if path not in sent]
    return found


def texts_of(value: object) -> list[str]:
    """Return all texts in a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    return [text for item in value for text in texts_of(item)] if isinstance(value, list) else []
