"""Environment variables that look like misspelt settings.

Needs nothing but Python: containers/check_settings.py runs it on machines that have only Docker.
"""

import difflib
from collections.abc import Collection, Iterable

PREFIX = "REELWRIGHT_"
OTHERS = frozenset(
    PREFIX + name
    for name in (
        *("REMOTE", "API_KEY", "OVERWRITE", "URL"),
        *("REQUIRE_GPU", "CLIPS", "CHROMIUM", "FUZZ", "TEST_POSTGRES", "TEST_POSTGRES_RESTART"),
        *("TAG", "DATA_FOLDER", "MODELS_FOLDER", "SERVICE_MEMORY"),
    )
)
"""Known variables that are no settings. The command line, tests and compose files use them."""


def misspelt(names: Iterable[str], settings: Collection[str]) -> list[str]:
    """Return a warning for each unknown variable named REELWRIGHT_*.

    `settings`: the known variables, besides OTHERS.
    """
    variables = {*settings, *OTHERS}
    return [
        f"{name} is not a setting and has no effect.{nearest(name, settings)}"
        for name in sorted(names)
        if name.startswith(PREFIX) and name not in variables
    ]


def nearest(name: str, settings: Collection[str]) -> str:
    """Return a question that suggests the setting with the most similar name.

    Empty if no setting is similar.
    """
    if name.startswith(PREFIX):  # their common begin would make all settings alike
        rests = sorted(setting.removeprefix(PREFIX) for setting in settings if setting.startswith(PREFIX))
        near = [PREFIX + rest for rest in difflib.get_close_matches(name.removeprefix(PREFIX), rests, n=1)]
    else:
        near = difflib.get_close_matches(name, sorted(settings), n=1, cutoff=0.75)
    return f" Did you mean {near[0]}?" if near else ""
