"""Options and help of `reelwright pipeline run|check|presets`.

The module with their actions is imported when one of them runs: other commands start without the libraries of the API.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli.options import AsJson, Key, OptionalRemote, Overwrite

if TYPE_CHECKING:
    from shared.operation import Service
    from shared.settings import Settings

FILES = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Typer settings for options `--<placeholder> FILE`. Only the pipeline knows the names of its placeholders."""

Source = Annotated[str, typer.Argument(metavar="PIPELINE", help="A pipeline file (YAML or JSON), or the name of a preset.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="STEP.PARAM=VALUE", help="Set a param of a step. May be repeated.")]
Folder = Annotated[
    Path | None, typer.Option("--output", metavar="FOLDER", help="Folder for the outputs. Default: the name of the pipeline.")
]
Each = Annotated[bool, typer.Option("--batch", help="Run the pipeline once for each file of a repeated option.")]
Json = Annotated[bool, typer.Option("--json", help="Print the results of the steps as JSON.")]


def add_pipelines(app: typer.Typer, load: Callable[[], tuple["Service", ...]], settings: Callable[[], "Settings"]) -> None:
    """Add the command group `pipeline` to `app`.

    `load` imports the installed services. `settings` reads the settings and makes them current.
    """
    group = typer.Typer(help="Run several operations as one pipeline: on local files, or on a suite with --remote.", no_args_is_help=True)
    app.add_typer(group, name="pipeline")

    @group.command(
        context_settings=FILES,
        help="Run a pipeline. Give each of its placeholders a file: --video clip.mp4 for <video>. Outputs go into a folder.",
    )
    def run(
        context: typer.Context,
        pipeline: Source,
        output: Folder = None,
        change: Sets = None,
        batch: Each = False,
        as_json: Json = False,
        overwrite: Overwrite = False,
        remote: OptionalRemote = None,
        api_key: Key = "",
    ) -> None:
        from gateway.pipelines.cli.actions import Place, run_pipeline

        place = Place(load=load, settings=settings, remote=remote, api_key=api_key)
        run_pipeline(place, pipeline, context.args, changes=change or [], folder=output, batch=batch, as_json=as_json, overwrite=overwrite)

    @group.command(context_settings=FILES, help="Check every step of a pipeline without running any. Files may be left out.")
    def check(context: typer.Context, pipeline: Source, change: Sets = None, remote: OptionalRemote = None, api_key: Key = "") -> None:
        from gateway.pipelines.cli.actions import Place, check_pipeline

        check_pipeline(Place(load=load, settings=settings, remote=remote, api_key=api_key), pipeline, context.args, change or [])

    @group.command("presets", help="List the named pipelines, and whether each can run now.")
    def list_presets(remote: OptionalRemote = None, api_key: Key = "", as_json: AsJson = False) -> None:
        from gateway.pipelines.cli.actions import Place, print_presets

        print_presets(Place(load=load, settings=settings, remote=remote, api_key=api_key), as_json=as_json)
