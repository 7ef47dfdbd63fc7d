"""Environment variables that look like misspelt settings."""

import difflib
from collections.abc import Iterable

from shared.settings import Settings

PREFIX = "REELWRIGHT_"
OTHERS = frozenset(
    f"{PREFIX}{name}" for name in ("REMOTE", "API_KEY", "OVERWRITE", "REQUIRE_GPU", "TAG", "DATA_FOLDER", "MODELS_FOLDER", "SERVICE_MEMORY")
)
"""Variables of the command line, the tests and the compose files."""


def misspelt(names: Iterable[str]) -> list[str]:
    """Return a warning for each unknown variable named REELWRIGHT_*."""
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    sentences = []
    for name in sorted(name for name in names if name.startswith(PREFIX) and name not in settings | OTHERS):
        near = difflib.get_close_matches(name, settings, n=1, cutoff=0.75)
        sentences.append(f"{name} is not a setting and has no effect." + (f" Did you mean {near[0]}?" if near else ""))
    return sentences
