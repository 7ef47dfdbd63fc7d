"""Documented commands that no other test runs contain valid names.

Valid names are those of commands, options, addresses and parameters. The commands are those of docs/*.md, in blocks and within sentences,
and those of the READMEs that tests/documents/test_readme.py cannot run. Each command is read by the parser of the command line, and its
params by the operation's model. The address of each curl command is looked up in the API, and its body checked against the model of the
operation or the schema of the request. Nothing runs: that would take minutes.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from test_readme import CANNOT_RUN, DOCUMENTS, ROOT, examples

import reelwright
from shared.cli.app import program
from shared.http.params_text import params_from_text
from shared.models.catalog.table import CATALOG
from shared.operation import Operation
from shared.testing import RunningSuite

PAGES = sorted({*(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"} - set(DOCUMENTS))
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`(reelwright [a-z][^`]*|curl [^`]*|docker compose (?:exec|run|logs) [^`]*)`")
OTHERS = ("make", "pip", "export", "tar", "mkdir", "sqlite3", "git", ".venv/bin/pytest", ".venv/bin/pip")
"""Programs that are not of this project, and `make`, whose targets tests/documents/test_reference.py checks."""
CONTAINERS = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
WITH_VALUE = ("--entrypoint", "--env", "--scale", "--wait-timeout", "--tail")
"""Options of `docker compose` that are followed by a value."""

OPERATIONS = {operation.name: operation for room in reelwright.ROOMS for operation in room.service.operations}


@dataclass(frozen=True)
class Command:
    """A command in a document."""

    document: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}: {' '.join(self.words)[:70]}"


def commands() -> Iterator[Command]:
    """Yield the documented commands that no test runs."""
    for page in PAGES:
        text = page.read_text()
        blocks = [line for block in BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines() if line.strip()]
        for line in [*blocks, *INLINE.findall(text)]:
            if words := shlex.split(line, comments=True):
                yield Command(page, tuple(words))
    for example in examples():
        words = shlex.split(example.code, comments=True) if example.language == "sh" else []
        if words and any(re.search(pattern, example.code) for pattern in CANNOT_RUN):
            yield Command(example.document, tuple(words))


COMMANDS = list(dict.fromkeys(commands()))


@pytest.fixture(scope="module")
def api(running: RunningSuite) -> dict[str, Any]:
    """Return the OpenAPI document."""
    document: dict[str, Any] = running.client.get("/openapi.json").json()
    return document


@cache
def root_command() -> Any:
    return typer.main.get_command(program(reelwright.suite()))


def parsed(words: tuple[str, ...]) -> tuple[list[str], dict[str, Any]]:
    """Parse a command line; return its command names and options.

    Raises click's UsageError.
    """
    group, rest, path = root_command(), list(words), []
    context = group.make_context("reelwright", rest)
    while hasattr(group, "resolve_command"):
        if not (rest := [*context._protected_args, *context.args]):
            break
        name, group, rest = group.resolve_command(context, rest)
        path.append(name)
        context = group.make_context(name, rest, parent=context)
    return path, context.params


def check_params(operation: Operation, values: dict[str, Any]) -> None:
    texts = {name.removeprefix("param_"): text for name, text in values.items() if name.startswith("param_") and text is not None}
    params_from_text(operation.params, {name: text for name, text in texts.items() if not text.startswith("@")})


def test_the_documents_have_commands() -> None:
    assert len(COMMANDS) > 40
    assert {command.words[0] for command in COMMANDS} <= {"reelwright", ".venv/bin/reelwright", "curl", "docker", *OTHERS}


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.words[0].endswith("reelwright")], ids=str)
def test_a_command_of_reelwright_is_understood(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = tuple(re.sub(r"<.*>|NAME|NEW|OLD|OWNER|\.\.\.$", "any", word) for word in command.words[1:] if word not in ("|", "..."))
    words = tuple(re.sub(r"^\[?(-[\w-]+)\]?$", r"\1", word) for word in words)
    for word in words:
        if re.fullmatch(r"[\w./-]+\.(mp4|png|jpg|json|yaml|zip)", word) and not Path(word).is_absolute():
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            Path(word).touch()
    path, values = parsed(words)
    if operation := OPERATIONS.get(".".join(path)):
        check_params(operation, values)
    if path[:1] == ["models"]:
        known = {model.name for model in CATALOG} | {"any"}
        assert set(values.get("names") or ()) <= known


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.words[0] == "curl"], ids=str)
def test_a_curl_command_fits_the_api(command: Command, api: dict[str, Any]) -> None:
    words = list(command.words)
    body = next((words[number + 1] for number, word in enumerate(words) if word in ("-d", "--data")), None)
    method = next(
        (words[number + 1].lower() for number, word in enumerate(words) if word == "-X"), "post" if body or "-F" in words else "get"
    )
    url = next(word for word in words if word.startswith("http://127.0.0.1"))
    path = re.sub(r"^http://[^/]*|\?.*$", "", url)
    route = next((route for route in api["paths"] if _fits(route, path) and method in api["paths"][route]), None)
    assert route is not None, f"there is no {method} {path}"
    match = re.fullmatch(r"/v1/([a-z-]+)/([a-z-]+)/jobs", path)
    if body and match and (operation := OPERATIONS.get(f"{match[1]}.{match[2]}")):
        operation.params.model_validate(json.loads(body).get("params", {}))
    for step in json.loads(body).get("steps", []) if body else []:
        OPERATIONS[step["operation"]].params.model_validate(step.get("params", {}))


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.words[0] == "docker"], ids=str)
def test_a_command_in_a_container_names_a_service_and_is_understood(command: Command) -> None:
    assert command.words[1] == "compose"
    verb, rest, plain = command.words[2], list(command.words[3:]), []
    entry_point = "--entrypoint" in rest
    while rest and verb in ("exec", "run", "logs", "up") and not (verb in ("exec", "run") and plain):
        word = rest.pop(0)
        if word in WITH_VALUE:
            rest.pop(0)
        elif word in ("|", "<", ">"):
            break
        elif not word.startswith("-"):
            plain.append(word)
    assert [name for name in plain if name not in CONTAINERS] == []
    if verb in ("exec", "run"):
        assert plain, "no service is named"
    ours = rest[1:] if rest[:1] == ["reelwright"] else rest if verb == "run" and plain != ["secrets"] and not entry_point else []
    if ours:
        parsed(tuple("any" if word in ("NAME", "...") else word for word in ours))


def _fits(route: str, path: str) -> bool:
    pattern = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in route.split("/"))
    return re.fullmatch(pattern, path) is not None


def test_the_checks_can_fail() -> None:
    with pytest.raises(Exception, match="No such option"):
        parsed(("media", "transcode", "in.mp4", "out.mp4", "--hight", "360"))
    with pytest.raises(Exception, match="height"):
        check_params(OPERATIONS["media.transcode"], {"param_height": "tall"})
