"""Functions behind the commands `reelwright pipeline run|check|presets`.

They take files of this machine, and run on this machine or on the server of a suite.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.pipelines.cli.local_run import LocalServices, check_locally, run_steps
from gateway.pipelines.cli.pipeline_file import load_pipeline, named_files, runs_of, with_params
from gateway.pipelines.placeholders import filled, placeholders
from gateway.pipelines.presets.availability import PresetInfo, describe_presets
from gateway.pipelines.references import map_ids
from gateway.pipelines.steps import PipelineChecked, PipelineResult, Step
from shared.cli.files import fetched, is_url
from shared.cli.operation import print_warnings, progress_bar, stage_update
from shared.client import JobFailed, Reelwright, Run
from shared.errors import Invalid, OperationFailed, ReelwrightError
from shared.http.operations.check import PENDING
from shared.http.operations.description import OPERATION_LIST
from shared.jobs.record import JobProgress, UrlInput
from shared.operation import Service
from shared.settings import Settings
from shared.worker.protocol import Update


@dataclass(frozen=True, kw_only=True)
class Place:
    """Target of a pipeline command: this machine or a suite's server.

    `remote`: URL of the suite; None to run the services installed on this machine.
    """

    load: Callable[[], tuple[Service, ...]]
    settings: Callable[[], Settings]
    remote: str | None
    api_key: str

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The installed services, imported on first use."""
        return self.load()

    @cached_property
    def suite(self) -> Reelwright | None:
        """Client of the suite's server; None to run on this machine."""
        return Reelwright(self.remote, self.api_key) if self.remote else None


def run_pipeline(
    place: Place,
    pipeline: str,
    words: Sequence[str],
    *,
    changes: Sequence[str],
    folder: Path | None,
    batch: bool,
    as_json: bool,
    overwrite: bool = False,
) -> None:
    """Run `pipeline`: the path of a pipeline file, or the name of a preset.

    `words`: options `--name FILE`, which give its placeholders files. `changes`: params as `step.param=value`. A batch goes on after a
    failure; then it raises OperationFailed at its end. `overwrite`: replace outputs of an earlier run; otherwise they raise Invalid.
    """
    loaded = load_pipeline(pipeline)
    steps = with_params(loaded.steps, changes)
    folder = folder or Path(Path(pipeline).stem)
    suite, failed = place.suite, 0
    results: list[dict[str, Any] | None] = []
    for label, files in runs_of(named_files(words), batch=batch):
        sources = {**loaded.inputs, **{name: [_text(path) for path in paths] for name, paths in files.items()}}
        target = folder / label
        try:
            if not overwrite:
                _refuse_existing(target, steps)
            results.append(_remotely(steps, sources, target, suite) if suite else _locally(steps, sources, target, place))
        except ReelwrightError as error:
            if not batch:
                raise
            failed += 1
            typer.echo(f"{label}: error: {error.detail}", err=True)
            results.append(None)
    if as_json:
        typer.echo(json.dumps(results if batch else results[0], indent=2))
    if failed:
        raise OperationFailed(f"{failed} of {len(results)} clips failed.")


def check_pipeline(place: Place, pipeline: str, words: Sequence[str], changes: Sequence[str]) -> None:
    """Check `pipeline`, a pipeline file's path or a preset's name, and print its steps."""
    loaded = load_pipeline(pipeline)
    steps = with_params(loaded.steps, changes)
    named = {name: [str(path.absolute()) for path in paths if isinstance(path, Path)] for name, paths in named_files(words).items()}
    files = {name: paths for name, paths in named.items() if paths}  # URLs are not fetched for a check
    if suite := place.suite:
        described = OPERATION_LIST.validate_python(suite.get("/v1/operations"))
        kinds = {operation.name: {name: port.kind for name, port in operation.inputs.items()} for operation in described}
        stand_ins = _with_stand_ins(steps, {}, kinds)  # a check reads no files
        body = {"steps": [step.model_dump() for step in stand_ins]}
        complete = PipelineChecked.model_validate(suite.post("/v1/pipelines/check", body)).steps
    else:
        operations = [operation for service in place.services for operation in service.operations]
        kinds = {operation.name: {name: str(port.kind) for name, port in operation.ports.items()} for operation in operations}
        stand_ins = _with_stand_ins(steps, files, kinds)
        complete = check_locally(stand_ins, place.services, place.settings())
    changed = {step.id: step.params for step in steps}
    table = Table("step", "operation", "params")
    for step in complete:
        table.add_row(step.id, step.operation, json.dumps(changed[step.id]) if changed.get(step.id) else "")
    Console().print(table)
    typer.echo(f"{pipeline} can run: {len(complete)} steps.")


def print_presets(place: Place, *, as_json: bool = False) -> None:
    """Print all presets, and whether each can run."""
    if suite := place.suite:
        described = [PresetInfo.model_validate(preset) for preset in suite.get("/v1/pipelines/presets")]
    else:
        described = asyncio.run(describe_presets(LocalServices.of(place.services, place.settings()), headers={}))
    if as_json:
        typer.echo(json.dumps([preset.model_dump(mode="json") for preset in described], indent=2))
        return
    table = Table("preset", "can run", "what it does", "files")
    for preset in described:
        files = " ".join(f"--{name}" for name in preset.inputs)
        table.add_row(preset.name, "[green]yes[/]" if preset.available else "[yellow]no[/]", preset.title, files)
    Console().print(table)
    for preset in described:
        for reason in preset.reasons:
            typer.echo(f"{preset.name}: {reason}")


def _locally(steps: Sequence[Step], sources: Mapping[str, Any], folder: Path, place: Place) -> dict[str, Any]:
    settings = place.settings()
    complete = filled(steps, _one_or_many(sources))
    urls = {f"{step.id}.{name}": value for step in complete for name, value in step.inputs.items()}
    with fetched(urls, settings) as files:
        local = [
            step.model_copy(update={"inputs": {name: _texts(files[f"{step.id}.{name}"]) for name in step.inputs}}) for step in complete
        ]
        return _run_here(_with_paths(local), folder, place.services, settings)


def _run_here(steps: Sequence[Step], folder: Path, services: Sequence[Service], settings: Settings) -> dict[str, Any]:
    """Run steps on local files, and return their results by step id."""
    operations = {operation.name: operation for service in services for operation in service.operations}
    complete = check_locally(steps, services, settings)
    _make(folder)
    results = {}

    def begins(number: int, step: Step) -> None:
        typer.echo(f"[{number + 1}/{len(complete)}] {step.id}: {step.operation}", err=True)

    for step, finished in run_steps(complete, operations, folder, begins):
        results[step.id] = finished.result
        for path in finished.files.values():
            _say(path)
    return results


def _remotely(steps: Sequence[Step], sources: Mapping[str, Any], folder: Path, suite: Reelwright) -> dict[str, Any]:
    ids = {name: [_uploaded(text, suite) for text in ([texts] if isinstance(texts, str) else texts)] for name, texts in sources.items()}
    complete = filled(steps, _one_or_many(ids))
    _make(folder)
    try:
        with progress_bar() as show:
            run = suite.run_pipeline([step.model_dump() for step in complete], on_progress=_shown(show))
    except JobFailed as failure:
        _save(Run(failure.job, suite), folder)  # the outputs of the finished steps
        raise
    print_warnings(run)
    _save(run, folder)
    return {step.id: step.result for step in PipelineResult.model_validate(run.result).steps}


def _save(run: Run, folder: Path) -> None:
    for path in run.save_all(folder).values():
        _say(path)


def _shown(show: Callable[[Update], None]) -> Callable[[JobProgress], None]:
    """Return a callback that passes a pipeline's progress to `show`.

    The callback also prints each step that begins or ends.
    """
    states: dict[str, str] = {}

    def report(progress: JobProgress) -> None:
        show(stage_update(progress))
        steps = progress.steps or []
        for number, step in enumerate(steps, 1):
            if step.state != states.get(step.id, "waiting"):
                typer.echo(f"[{number}/{len(steps)}] {step.id}: {step.operation}: {step.state}", err=True)
            states[step.id] = step.state

    return report


def _texts(value: Any) -> Any:
    """Return an input's path, or its list of paths, as strings."""
    return [_texts(item) for item in value] if isinstance(value, list) else str(value) if isinstance(value, Path) else value


def _text(file: Path | str) -> str:
    """Return the absolute path of a file as a string, or a URL unchanged."""
    return file if isinstance(file, str) else str(file.absolute())


def _uploaded(text: str, suite: Reelwright) -> str | UrlInput:
    if is_url(text):
        return UrlInput(url=text)
    return suite.upload(text).id if Path(text).is_file() else text


def _one_or_many(sources: Mapping[str, Any]) -> dict[str, Any]:
    return {name: items[0] if isinstance(items, list) and len(items) == 1 else items for name, items in sources.items()}


def _with_paths(steps: Sequence[Step]) -> list[Step]:
    """Return the steps with absolute file paths in their inputs."""

    def absolute(text: str) -> str:
        return str(Path(text).absolute()) if Path(text).is_file() else text

    return [step.model_copy(update={"inputs": {name: map_ids(source, absolute) for name, source in step.inputs.items()}}) for step in steps]


def _with_stand_ins(steps: Sequence[Step], files: Mapping[str, list[str]], kinds: Mapping[str, Mapping[str, str]]) -> list[Step]:
    """Replace placeholders by their files, or by stand-ins where no file is given.

    A stand-in (`pending:<kind>`) has the kind of the first input with the placeholder. `kinds`: operation -> input -> kind.
    """
    sources: dict[str, Any] = dict(files)
    for step in steps:
        for name, text in step.inputs.items():
            for placeholder in placeholders([step.model_copy(update={"inputs": {name: text}})]):
                sources.setdefault(placeholder, f"{PENDING}{kinds.get(step.operation, {}).get(name, 'video')}")
    return filled(steps, _one_or_many(sources))


def _refuse_existing(folder: Path, steps: Sequence[Step]) -> None:
    """Raise Invalid if the folder already has outputs of these steps."""
    names = {step.id for step in steps}
    if existing := sorted(str(path) for path in folder.glob("*.*") if path.name.partition(".")[0] in names):
        raise Invalid(f"{', '.join(existing[:3])} exists: give another folder with --output, or --overwrite.")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"The folder {folder} cannot be created: {error.strerror}.") from None


def _say(path: Path) -> None:
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB", err=True)
