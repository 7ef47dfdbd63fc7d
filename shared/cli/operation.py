"""A command for each operation, with files as arguments and params as options.

A single output is a file path; several outputs go into a folder, each under its name in the declaration, with the operation's prefix.
"""

import inspect
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from shared.cli.files import Given, fetched, file_or_url, is_url
from shared.cli.options import Key, OptionalRemote, Overwrite
from shared.cli.temporary_folders import temporary_files, temporary_folder
from shared.client import OperationName, Reelwright, Run
from shared.errors import Invalid, OperationFailed, ReelwrightError
from shared.file_calls import FileRequest
from shared.http.params_text import params_from_text
from shared.jobs.record import JobProgress
from shared.operation import AUTO, SUFFIXES, Kind, Operation, Params, makes_unasked, params_of_maker
from shared.settings import Settings
from shared.worker.operation_run import output_arguments
from shared.worker.progress import Report
from shared.worker.protocol import JobWarning, ProgressUpdate, Update


def add_operation(
    app: typer.Typer, operation: Operation, settings: Callable[[], Settings], find: Callable[[str], Operation | None]
) -> None:
    """Add the command `VERB INPUT... OUTPUT --param value` to `app`.

    Typer reads a function's signature, which is made here from the declaration. `settings` makes the settings current before a local run.
    `find`: returns an installed operation by its name; it makes an input that is given as "auto".
    """

    def command(as_json: bool, overwrite: bool, remote: str | None, api_key: str, **arguments: Any) -> None:
        params = _params(operation, arguments)
        inputs = {name: arguments[f"in_{name}"] or None for name in operation.ports}
        if operation.needs and not any(inputs[name] for name in operation.needs):
            raise Invalid(f"Give {' or '.join(f'--{_flag(name)} FILE' for name in operation.needs)}.")
        operation.refuse(params, {name: files for name, files in inputs.items() if files is not None})
        outputs = _outputs(operation, arguments.get("output"))
        _check_files(inputs, outputs)
        if operation.file_prefix is None and not overwrite:
            _refuse_existing(outputs.values())
        began = time.perf_counter()
        with _written(outputs) as paths:
            if remote:
                with Reelwright(remote, api_key) as client:
                    result = _remotely(operation, params, inputs, paths, client)
            else:
                current = settings()
                operation.check_available(params)  # before another operation makes an input
                with fetched(inputs, current) as files, made_inputs(operation, params, files, find) as complete:
                    result = run_locally(operation, params, complete, paths)
            if as_json or not outputs:
                typer.echo(json.dumps(result, indent=2))
            for path in _named(operation, result, paths, outputs, overwrite=overwrite):
                typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB in {time.perf_counter() - began:.1f} s", err=True)

    parameters = [*_arguments(operation), *_options(operation), *_general()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app.command(operation.verb, help=f"{operation.summary}.")(command)


def _arguments(operation: Operation) -> Iterator[inspect.Parameter]:
    """Yield the arguments: inputs, then the output file or folder.

    Optional inputs are options.
    """
    for name, port in operation.ports.items():
        kind: Any = list[Given] if port.many else Given
        text = f"{port.description} A file or a URL (kind: {' or '.join(port.kinds)}).".strip()
        if port.optional:
            yield _parameter(
                f"in_{name}", kind | None, typer.Option(f"--{_flag(name)}", parser=file_or_url, metavar="FILE", help=text), None
            )
        else:
            text += f" Or `{AUTO}`: {port.auto.rpartition('.')[0]} makes it first." if port.auto else ""
            yield _parameter(f"in_{name}", kind, typer.Argument(parser=file_or_url, metavar=name.upper(), help=text))
    match list(operation.outputs.items()):
        case []:
            return
        case [(_, kind)]:
            info = typer.Argument(dir_okay=False, metavar="OUTPUT", help=f"Output file ({kind}).")
        case several:
            names = ", ".join(f"{name}{SUFFIXES[kind]}" for name, kind in several)
            prefixed = "" if operation.file_prefix is None else ", each with a prefix that names what made it"
            info = typer.Argument(file_okay=False, metavar="FOLDER", help=f"Folder for {names}{prefixed}; created if missing.")
    yield _parameter("output", Path, info)


def _outputs(operation: Operation, output: Path | None) -> dict[str, Path]:
    """Return the path of each output; create the folder if there are several outputs.

    The folder is created here, so that a wrong path is reported before the work begins.
    """
    if output is None or len(operation.outputs) == 1:
        return dict.fromkeys(operation.outputs, output) if output is not None else {}
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise Invalid(f"The folder {output} cannot be created: {error.strerror}.") from None
    return {name: output / f"{name}{SUFFIXES[kind]}" for name, kind in operation.outputs.items()}


def _options(operation: Operation) -> Iterator[inspect.Parameter]:
    """Yield a command-line option for each param of the operation.

    Its value is text, which pydantic converts.
    """
    for name, schema in operation.params.model_json_schema()["properties"].items():
        option = typer.Option(f"--{_flag(name)}", metavar=_metavar(schema), help=_help(schema), show_default=False)
        yield _parameter(f"param_{name}", str | None, option, None)


def _general() -> Iterator[inspect.Parameter]:
    yield _parameter("as_json", bool, typer.Option("--json", help="Print the result as JSON."), False)
    for name, annotation, default in (("overwrite", Overwrite, False), ("remote", OptionalRemote, None), ("api_key", Key, "")):
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _parameter(name: str, kind: Any, info: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info])


def _params(operation: Operation, arguments: dict[str, Any]) -> Params:
    """Build the params from the options.

    `@FILE` stands for the text of a file. Raises Invalid, naming each option.
    """
    texts = {name.removeprefix("param_"): text for name, text in arguments.items() if name.startswith("param_") and text is not None}
    try:
        texts = {name: Path(text[1:]).read_text() if text.startswith("@") else text for name, text in texts.items()}
        return params_from_text(operation.params, texts)
    except OSError as error:
        raise Invalid(f"{error.filename}: {error.strerror}") from None
    except Invalid as error:
        lines = [f"--{_flag(item.field)}: {item.detail}" if item.field else item.detail for item in error.errors]
        raise Invalid("\n       ".join(lines)) from None


def run_locally(operation: Operation, params: Params, inputs: dict[str, Any], outputs: dict[str, Path]) -> Any:
    operation.check_available(params)
    with progress_bar() as show, temporary_files():
        report = Report(show)
        try:
            result: BaseModel = operation.run(params, **inputs, **output_arguments(outputs), progress=report)
        except ValueError as error:  # such as an unknown file name extension
            raise OperationFailed(f"{operation.name}: {error}") from error
        report.finish()
    return result.model_dump(mode="json")


def _remotely(operation: Operation, params: Params, inputs: dict[str, Any], outputs: dict[str, Path], client: Reelwright) -> Any:
    files: dict[str, Any] = {name: AUTO if str(path) == AUTO else path for name, path in inputs.items()}
    with progress_bar() as show:
        run = client.run(
            OperationName(operation.name),
            on_progress=lambda progress: show(stage_update(progress)),
            **files,
            **params.model_dump(mode="json"),
        )
    print_warnings(run)
    # With an "auto" input the job becomes a pipeline, whose outputs carry the step's name.
    prefix = f"{operation.verb}." if run.job.operation != operation.name else ""
    for name, path in outputs.items():
        if record := run.outputs.get(f"{prefix}{name}"):
            client.download(record, path)
    return run.result


def print_warnings(run: Run) -> None:
    """Print the warnings of a job."""
    for warning in run.job.warnings:
        typer.echo(f"note: {warning}", err=True)


@contextmanager
def made_inputs(
    operation: Operation, params: Params, inputs: dict[str, Any], find: Callable[[str], Operation | None]
) -> Iterator[dict[str, Any]]:
    """Yield the inputs, with a generated file in place of each "auto".

    A left-out input with `auto_if` gets a file, too; if it cannot be made, a note says so. Another operation makes the file, which is
    removed afterwards.
    """
    with temporary_folder() as folder:
        complete = dict(inputs)
        for name, port in operation.ports.items():
            unasked = inputs[name] is None and makes_unasked(port.auto_if, params.model_dump())
            if not unasked and (inputs[name] is None or str(inputs[name]) != AUTO or not port.auto):
                continue
            maker_name, _, output = port.auto.rpartition(".")
            maker = find(maker_name)
            if maker is None and unasked:
                continue
            if maker is None:
                raise Invalid(f"{name}: {AUTO!r} needs {maker_name}, which is not installed here. Give a file.")
            outputs = {output_name: folder / f"{output_name}{SUFFIXES[kind]}" for output_name, kind in maker.outputs.items()}
            maker_inputs = {input_name: None if about.optional else inputs.get(input_name) for input_name, about in maker.ports.items()}
            maker_params = maker.params(**params_of_maker(params.model_dump(), maker.params.model_fields))
            try:
                run_locally(maker, maker_params, maker_inputs, outputs)
            except ReelwrightError as error:
                if not unasked:
                    raise
                typer.echo(f"note: No {name} could be made, so {operation.name} runs without one. {error.detail}", err=True)
                continue
            complete[name] = outputs[output]
        yield complete


def stage_update(progress: JobProgress) -> ProgressUpdate:
    """Return a job's total progress as a ProgressUpdate, which `progress_bar` shows."""
    return ProgressUpdate(**progress.model_dump(exclude={"steps"}))


@contextmanager
def progress_bar() -> Iterator[Callable[[Update], None]]:
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:>10}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=1.0, rate="")

        def show(update: Update) -> None:
            if isinstance(update, JobWarning):
                bar.console.print(f"note: {update.text}")
                return
            rate = f"{update.fps:.0f} fps" if update.fps else ""
            bar.update(task, completed=update.fraction, description=update.stage or "working", rate=rate)

        yield show


@contextmanager
def _written(outputs: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    """Yield temporary paths of the outputs, in a hidden folder.

    `outputs`: the final paths, whose names may yet change with the result. The folder lies beside the final paths.
    """
    if not outputs:
        yield {}
        return
    with temporary_folder(next(iter(outputs.values())).parent) as folder:
        yield {name: folder / path.name for name, path in outputs.items()}


def _named(operation: Operation, result: Any, paths: Mapping[str, Path], outputs: Mapping[str, Path], *, overwrite: bool) -> Iterator[Path]:
    """Rename the files at `paths` to their final names.

    Yields the new paths. `outputs`: final paths without the operation's prefix. Names that follow from the result are known only now:
    without `overwrite`, an output whose name is taken gets a number.
    """
    prefix = ""
    if operation.file_prefix is not None and len(outputs) > 1:
        prefix = operation.file_prefix(operation.result.model_validate(result))
    for name, path in paths.items():
        if path.is_file():
            final = outputs[name].with_name(f"{prefix}{outputs[name].stem}{true_suffix(path)}")
            yield path if final == path else path.replace(final if overwrite else _free(final))


def _free(path: Path) -> Path:
    """Return `path`, or a numbered variant if `path` exists."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(candidate for candidate in (path, *islice(numbered, 1000)) if not candidate.exists())


def _refuse_existing(paths: Iterable[Path]) -> None:
    """Raise Invalid if an output file exists already."""
    if existing := [str(path) for path in paths if path.exists()]:
        raise Invalid(f"{', '.join(existing)} already exists: give another name, or --overwrite.")


def true_suffix(path: Path) -> str:
    """Return the suffix that fits a file's content, such as ".mov" for ProRes.

    Only files named .mp4 are opened; for other names, the suffix of the name is returned.
    """
    if path.suffix != SUFFIXES[Kind.VIDEO]:
        return path.suffix
    from shared.video import inspect  # imported only for operations that write pictures

    suffix = inspect(FileRequest(path=str(path)), None).suffix
    return path.suffix if suffix == ".m4v" else suffix


def _check_files(inputs: dict[str, Any], outputs: dict[str, Path]) -> None:
    for files in inputs.values():
        for path in files if isinstance(files, list) else [files] if files else []:
            if not is_url(path) and str(path) != AUTO and not path.is_file():
                raise Invalid(f"The file {path} does not exist.")
    listed = [path for files in inputs.values() if files for path in (files if isinstance(files, list) else (files,))]
    input_files = {path.resolve() for path in listed if not is_url(path)}
    for path in outputs.values():
        if path.resolve() in input_files:
            raise Invalid(f"{path} is an input file: give the output another name.")
        if not path.absolute().parent.is_dir():
            raise Invalid(f"The folder {path.absolute().parent} for the output {path.name} does not exist: create it first.")


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _metavar(schema: dict[str, Any]) -> str:
    choices = schema.get("enum")
    if choices:
        return "|".join(map(str, choices))
    kinds = [option.get("type") for option in (schema, *schema.get("anyOf", ())) if option.get("type") not in (None, "null")]
    return {"number": "NUMBER", "integer": "INTEGER", "boolean": "true|false", "string": "TEXT"}.get(str(kinds[0] if kinds else ""), "JSON")


def _help(schema: dict[str, Any]) -> str:
    """Return the help text of a param: its description, its limits and its default."""
    limits = [f"{word} {_shown(schema[key])}" for word, key in (("from", "minimum"), ("to", "maximum")) if key in schema]
    default = [f"default {_shown(schema['default'])}"] if schema.get("default") is not None else []
    extra = ", ".join([" ".join(limits)] * bool(limits) + default)
    return f"{schema.get('description', '')}{f' ({extra})' if extra else ''}"


def _shown(value: object) -> str:
    """Return a limit or default as users write it, such as 70 for 70.0."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
