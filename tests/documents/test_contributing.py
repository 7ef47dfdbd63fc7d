"""The chapter "Adding an operation" of CONTRIBUTING.md, followed literally."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_code.test_boundaries import cycle, import_graph, upward

ROOT = Path(__file__).parents[2]
COPIED = ("benchmarks", "docs", "gateway", "services", "shared", "tests")
FILES = ("CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "README.md", "SECURITY.md", "pyproject.toml", "reelwright.py")
STEP = re.compile(r"(Create|create|Change)\s+`([^`]+)`:\n\n```(python|diff)\n(.*?)```", re.DOTALL)
"""A step of the document: "create" or "change", path, and code block. The block follows the words."""


def section() -> str:
    """Return the text of the chapter "Adding an operation"."""
    return (ROOT / "CONTRIBUTING.md").read_text().partition("## Adding an operation\n")[2].partition("\n## ")[0]


def commands() -> list[str]:
    """Return the commands of the chapter's last step."""
    blocks = re.findall(r"```sh\n(.*?)```", section(), re.DOTALL)
    return str(blocks[-1]).splitlines()


def apply(diff: str, text: str) -> str:
    """Apply `diff`, one hunk without line numbers, to `text`.

    The old lines must occur exactly once.
    """
    lines = diff.splitlines()
    old = "".join(line[1:] + "\n" for line in lines if line[:1] != "+")
    new = "".join(line[1:] + "\n" for line in lines if line[:1] != "-")
    assert text.count(old) == 1, f"the document shows lines that are not in the file:\n{old}"
    return text.replace(old, new)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the repository and add the example operation, as the chapter's steps say."""
    copy = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    steps = STEP.findall(section())
    assert [verb.lower() for verb, *_ in steps] == ["create", "change", "create"]
    for verb, path, _, code in steps:
        file = copy / path
        assert file.exists() == (verb == "Change")
        file.write_text(apply(code, file.read_text()) if verb == "Change" else code)
    return copy


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m` with `command` in the copied tree."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("REELWRIGHT_", "PYTEST_"))}
    return subprocess.run([sys.executable, "-m", *command], cwd=tree, env=env, capture_output=True, text=True, timeout=500)


@pytest.mark.timeout(600)
def test_the_example_operation_passes_the_contract_test(tree: Path) -> None:
    make_docs, make_check, pytest_command = commands()
    assert (make_docs, make_check) == ("make docs", "make check")
    assert run(tree, "docs.generate").returncode == 0  # as `make docs` does, without its set-up
    assert run(tree, "docs.generate", "--check").returncode == 0
    assert "| `effects.vignette` |" in (tree / "README.md").read_text()
    done = run(tree, *pytest_command.removeprefix(".venv/bin/").split(), "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed[1]) > 10, done.stdout


def test_the_example_is_clean(tree: Path) -> None:
    changed = [path for _, path, *_ in STEP.findall(section())]
    for check in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = run(tree, "ruff", *check, *changed)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_keeps_the_import_boundaries(tree: Path) -> None:
    graph = import_graph(tree)
    assert "services/effects/vignette.py" in graph
    assert cycle(graph) is None
    assert upward(graph) == set()


@pytest.mark.timeout(600)
def test_the_types_of_the_example_are_complete(tree: Path) -> None:
    # In strict mode, as pyproject.toml sets it. That takes 16 s of processor time, because mypy reads all imported files.
    done = run(tree, "mypy", "services/effects/vignette.py", "services/effects/operations.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues found in 2 source files" in done.stdout
