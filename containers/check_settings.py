"""Refuse misspelt settings of the containers: `python3 -m containers.check_settings`, in the folder of the compose files.

Compose passes on only the variables that its files name, so the servers never see a misspelt one. Needs nothing but Python.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from shared.cli.environment import PREFIX, misspelt, nearest

USED = re.compile(r"\$\{(\w+)|^ +(\w+):[ ]*$", re.MULTILINE)
"""Matches a variable in a compose file: `${NAME...}`, or `NAME:` without a value, which passes the variable on."""
SET = re.compile(r"^\s*(?:export\s+)?(\w+)\s*(?:[=:]|$)", re.MULTILINE)
"""Matches a line that sets a variable in a file such as `.env`."""
OF_ONE_PROCESS = frozenset(PREFIX + name for name in ("DATA_DIR", "MODELS_DIR", "SERVICE_URLS", "DATABASE_PASSWORD", "PUBLISHED_HOST"))
"""Settings that have an effect only outside of containers."""
COMPOSE = "COMPOSE_"
"""Prefix of Compose's own variables."""


def known(texts: Iterable[str]) -> set[str]:
    """Return the names of all variables in `texts`, the contents of compose files."""
    return {name for text in texts for match in USED.finditer(text) for name in match.groups() if name and name.isupper()}


def wrong(folder: Path, environment: Iterable[str], env_files: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each misspelt variable, in the environment and in files.

    `folder`: of the compose files and of `env_files`, from which Compose reads variables. In files, names that only resemble a known one
    are wrong, too.
    """
    settings = known(path.read_text() for pattern in ("*compose*.yaml", "*compose*.yml") for path in sorted(folder.glob(pattern)))
    yield from misspelt(environment, settings | OF_ONE_PROCESS)
    for name in env_files:
        path = folder / name
        for variable in SET.findall(path.read_text()) if path.is_file() else ():
            if variable in settings or variable.startswith(COMPOSE):
                continue
            question = nearest(variable.upper(), settings)
            if variable.upper().startswith(PREFIX) or question:
                yield f"{name}: {variable} has no effect on containers.{question}"


def main() -> None:
    sentences = list(wrong(Path(), os.environ, os.environ.get("COMPOSE_ENV_FILES", ".env").split(",")))
    if sentences:
        sys.exit("\n".join(["error: misspelt settings", *(f"  {sentence}" for sentence in sentences)]))


if __name__ == "__main__":
    main()
