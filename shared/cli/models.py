"""`reelwright models`: list, pull and verify model weights."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from shared.errors import Invalid, ModelDamaged, ModelMissing
from shared.models.folder import ModelFolder
from shared.models.info import describe_model
from shared.models.install.pull import Step, pull
from shared.models.model import Model
from shared.settings import Settings

NAMES = typer.Argument(metavar="NAME...", help="Names of models; `reelwright models list` shows them.")
WIDE = 140
"""Terminal width, in columns, from which the list shows each model's purpose."""

AS_JSON = typer.Option("--json", help="Print JSON.")
ReadFolder = Callable[[], ModelFolder]
"""Reads the settings and returns the models folder."""


def models_group(settings: Callable[[], Settings]) -> typer.Typer:
    """Return the command group `models`.

    `settings`: reads the settings when a command runs.
    """
    models = typer.Typer(no_args_is_help=True)

    def folder() -> ModelFolder:
        return ModelFolder(settings().models_folder)

    _add_list(models, folder)
    _add_pull(models, folder, settings)
    _add_checks(models, folder)
    return models


def _add_list(models: typer.Typer, folder: ReadFolder) -> None:
    """Add the command that lists the models."""

    @models.command("list", help="List all models: purpose, licence, size, and whether they are installed.")
    def list_models(as_json: Annotated[bool, AS_JSON] = False) -> None:
        models_folder = folder()
        infos = [describe_model(models_folder, model) for model in models_folder.catalog]
        if as_json:
            typer.echo(json.dumps([info.model_dump() for info in infos], indent=2))
            return
        console = Console()
        wide = console.width >= WIDE
        table = Table("model", "licence", "commercial", "size", "installed", *(["for", "what it does"] if wide else []))
        for info in infos:
            size = f"{info.bytes / 1e6:.0f} MB" if info.bytes else "?"
            use, installed = "yes" if info.commercial_use else "[red]no[/]", "[green]yes[/]" if info.installed else "-"
            more = [", ".join(info.services), info.purpose] if wide else []
            table.add_row(info.name, info.licence, use, size, installed, *more)
        table.columns[0].no_wrap = table.columns[3].no_wrap = True
        console.print(table)


def _add_pull(models: typer.Typer, folder: ReadFolder, settings: Callable[[], Settings]) -> None:
    """Add the command that downloads models."""

    @models.command("pull", help="Download models. An interrupted download is resumed.")
    def pull_models(
        names: Annotated[list[str] | None, NAMES] = None,
        all_models: Annotated[bool, typer.Option("--all", help="All models that allow commercial use and need no account.")] = False,
        non_commercial: Annotated[
            bool, typer.Option("--non-commercial", help="Confirm that your use is non-commercial, as the licence requires.")
        ] = False,
        renew: Annotated[bool, typer.Option("--renew", help="Accept the files published now instead of those recorded earlier.")] = False,
    ) -> None:
        models_folder, mirror = folder(), settings().models_mirror
        for model in _chosen(models_folder, names, all_models=all_models):
            if not model.commercial_use and not non_commercial:
                raise Invalid(
                    f"{model.title} ({model.licence}) forbids commercial use. If your use is not commercial, run: {model.command}"
                )
            with _bar(model) as report:
                fetched = pull(models_folder, model, mirror=mirror, renew=renew, on_step=report)
            outcome = f"{len(fetched)} of {len(model.files)} files fetched" if fetched else "already installed"
            typer.echo(f"{model.name}: {outcome} ({models_folder.root / model.name})")


def _add_checks(models: typer.Typer, folder: ReadFolder) -> None:
    """Add the commands that verify models and print their folders."""

    @models.command("verify", help="Check the files of installed models against their checksums.")
    def verify(
        names: Annotated[list[str] | None, NAMES] = None,
        record: Annotated[
            bool, typer.Option("--record", help="Record the checksums of the current files, after you changed the files yourself.")
        ] = False,
        as_json: Annotated[bool, AS_JSON] = False,
    ) -> None:
        models_folder = folder()
        selection = _chosen(models_folder, names) if names else [model for model in models_folder.catalog if models_folder.installed(model)]
        troubles = {model.name: _verified(models_folder, model, record=record) for model in selection}
        if as_json:
            typer.echo(json.dumps({name: {"ok": trouble is None, "trouble": trouble} for name, trouble in troubles.items()}, indent=2))
        else:
            for name, trouble in troubles.items():
                typer.echo(f"{name}: {trouble or 'ok'}")
            if not troubles:
                typer.echo("no model is installed")
        if any(troubles.values()):
            raise typer.Exit(1)

    @models.command("path", help="Print the models folder, or the folder of one model.")
    def path(name: Annotated[str | None, typer.Argument(help="Name of a model.")] = None) -> None:
        models_folder = folder()
        if name is None:
            typer.echo(models_folder.root)
        else:
            model = models_folder.model(name)
            typer.echo(models_folder.path(model, model.files[0]).parent if model.package else models_folder.root / model.name)


def _chosen(folder: ModelFolder, names: list[str] | None, *, all_models: bool = False) -> Iterable[Model]:
    if all_models and names:
        raise Invalid("Give names or --all, not both.")
    if all_models:
        return [model for model in folder.catalog if model.commercial_use and not model.gated and not model.package]
    if not names:
        raise Invalid("Name one model or more, or give --all. `reelwright models list` shows the names.")
    return [folder.model(name) for name in names]


def _verified(folder: ModelFolder, model: Model, *, record: bool) -> str | None:
    """Check a model's files; return the defect, or None.

    `record`: first delete the recorded checksums, so that those of the present files are recorded.
    """
    try:
        if record:
            folder.forget(model)
        for file in model.files:
            folder.check(model, file, again=True)
    except (ModelMissing, ModelDamaged) as error:
        return error.detail
    return None


@contextmanager
def _bar(model: Model) -> Iterator[Callable[[Step], None]]:
    columns = (TextColumn("{task.description:48}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(step: Step) -> None:
            if step.waiting:
                bar.console.print(f"another process is pulling {model.name}; waiting for it")
                return
            if step.path not in tasks:
                tasks[step.path] = bar.add_task(f"{model.name}/{step.path}", total=step.total)
            bar.update(tasks[step.path], completed=step.done, total=step.total)

        yield report
