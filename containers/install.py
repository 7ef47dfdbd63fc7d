"""Installs extras of pyproject.toml, and what every process needs, into this Python: `python install.py [EXTRA...]`.

Only what they depend on. The suite itself is copied into the images, so that a change of its code does not install anything again.
Wheels of the folder /wheels are taken, too. TORCH_INDEX is the index that torch comes from where none lies there: the one on PyPI brings
gigabytes of CUDA along.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

OWN = re.compile(r"reelwright\[([\w,-]+)\]")
"""An extra that consists of others, such as `reelwright[video,models]`."""


def requirements(project: dict, extras: list[str]) -> Iterator[str]:
    """What the extras need, those that they consist of included. Raises KeyError for an extra that does not exist."""
    for extra in extras:
        for requirement in project["optional-dependencies"][extra]:
            if found := OWN.fullmatch(requirement):
                yield from requirements(project, found[1].split(","))
            else:
                yield requirement


def main(extras: list[str]) -> None:
    """Have pip install them."""
    project = tomllib.loads(Path(__file__).with_name("pyproject.toml").read_text())["project"]
    wanted = dict.fromkeys([*project["dependencies"], *requirements(project, extras)])
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--root-user-action=ignore", "--find-links=/wheels"]
    torch_index = os.environ.get("TORCH_INDEX")
    if torch_index and any(one.startswith("torch=") for one in wanted) and not any(Path("/wheels").glob("torch-*")):
        pip.append(f"--extra-index-url={torch_index}")
    subprocess.run([*pip, *wanted], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
