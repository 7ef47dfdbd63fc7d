"""Install the dependencies of this project and of the given extras: `python install.py [EXTRA...]`.

The suite itself is copied into the images, so a change of its code installs nothing again. Wheels in the folder /wheels are used, too.
TORCH_INDEX: package index for torch if /wheels has none; the build on PyPI brings gigabytes of CUDA. An extra that ends with `-gpu` needs a
torch with CUDA.
"""

import os
import re
import runpy
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

OWN = re.compile(r"reelwright\[([\w,-]+)\]")
"""Matches a requirement that stands for other extras, such as `reelwright[video,models]`."""
GPU = "-gpu"
"""Suffix of extras for a GPU."""
ATTEMPTS = 4
"""Maximum number of runs of pip. It does not repeat a download that stops in the middle, but keeps complete downloads in its cache."""


def requirements(project: dict, extras: list[str]) -> Iterator[str]:
    """Yield the requirements of `extras`, and of the extras that these include.

    Raises KeyError for an unknown extra.
    """
    for extra in extras:
        for requirement in project["optional-dependencies"][extra]:
            if own := OWN.fullmatch(requirement):
                yield from requirements(project, own[1].split(","))
            else:
                yield requirement


def main(extras: list[str]) -> None:
    """Install the common dependencies and the dependencies of `extras`, with pip."""
    project = tomllib.loads(Path(__file__).with_name("pyproject.toml").read_text())["project"]
    packages = dict.fromkeys([*project["dependencies"], *requirements(project, extras)])
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--root-user-action=ignore", "--find-links=/wheels"]
    torch_index = os.environ.get("TORCH_INDEX")
    torch = [requirement for requirement in packages if requirement.startswith("torch=")]
    with tempfile.TemporaryDirectory() as folder:
        if torch_index and torch and not any(Path("/wheels").glob("torch-*")):
            fetch_torch(torch, torch_index, folder)
            pip.append(f"--find-links={folder}")
        repeat([*pip, *packages])
    if torch and any(extra.endswith(GPU) for extra in extras) and cuda_of(distribution("torch")) is None:
        sys.exit(f"torch {distribution('torch').version} has no CUDA: give another index as TORCH_CUDA_INDEX, or wheels as WHEELS.")


def cuda_of(torch: Distribution) -> str | None:
    """Return the version of CUDA that an installed torch is built for; None if it is built for CPUs only.

    The version is read from a file of the package. Importing torch would need CUDA's libraries.
    """
    built = runpy.run_path(str(torch.locate_file("torch/version.py")))
    return built.get("cuda")


def fetch_torch(torch: list[str], index: str, folder: str) -> None:
    """Download the wheel of the requirement `torch` from `index` into `folder`.

    No other index is used, so that no build with CUDA is installed by accident. pip then prefers the wheel to the package of the same
    version on PyPI, because the wheel's version ends with the name of its build ("+cpu").
    """
    download = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps", f"--dest={folder}"]
    try:
        repeat([*download, f"--index-url={index}", *torch])
    except subprocess.CalledProcessError:
        sys.exit(f"{index} did not deliver {torch[0]}. Give another index as TORCH_INDEX, or wheels as WHEELS (docs/deployment.md).")


def repeat(command: list[str]) -> None:
    """Run a command until it succeeds, at most ATTEMPTS times. Raises CalledProcessError."""
    for _ in range(ATTEMPTS - 1):
        if subprocess.run(command).returncode == 0:
            return
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
