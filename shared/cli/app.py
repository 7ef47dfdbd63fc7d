"""The `reelwright` command, made from the same declarations as the API.

Modules that take long to import are imported inside the commands that use them, so that `--help` answers at once.
"""

import asyncio
import importlib
import json
import logging
import os
import signal
import sys
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shared.cli.jobs import add_jobs
from shared.cli.lazy_group import lazy_group
from shared.errors import ReelwrightError

if TYPE_CHECKING:
    from shared.operation import Operation, Service
    from shared.settings import Settings

IMAGE_PROJECT = Path("/containers/pyproject.toml")
"""The project file in the containers' images."""
log = logging.getLogger("reelwright")

LoadService = Callable[[], "Service"]
"""Imports a service and returns it."""

ReadSettings = Callable[..., "Settings"]
"""Reads the settings, overridden by keyword arguments, and sets them for this process."""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The installed services by name, and the functions behind `up`, `serve` and `gc`."""

    services: Mapping[str, LoadService]
    up: Callable[["Settings"], Awaitable[None]]
    serve: Callable[[str, "Settings"], Awaitable[None]]
    gc: Callable[["Settings"], dict[str, int]]
    add_more: Callable[[typer.Typer, Callable[[], tuple["Service", ...]], ReadSettings], None] | None = None
    """Adds further commands, such as those of pipelines. It gets the Typer app, a function that loads all services, and one that reads the
    settings."""

    def load(self) -> tuple["Service", ...]:
        """Import all services and return them."""
        return tuple(load() for load in self.services.values())

    def operation(self, name: str) -> "Operation | None":
        """Return an installed operation by its name; None without such an operation.

        Imports no other service.
        """
        load = self.services.get(name.partition(".")[0])
        return next((operation for operation in load().operations if operation.name == name), None) if load else None


def program(suite: Suite) -> typer.Typer:
    """Build the Typer app with all commands of `reelwright`."""
    app = typer.Typer(
        help="Reelwright: a self-hosted suite for AI video effects.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    _add_version(app)
    _add_serving(app, suite)
    add_jobs(app)
    _add_upkeep(app, suite)
    app.add_typer(_models(), name="models")
    app.add_typer(_keys(), name="keys")
    if suite.add_more is not None:
        suite.add_more(app, suite.load, _settings)
    for name, load in suite.services.items():
        app.add_typer(_service(name, load, suite), name=name)
    return app


def command_line(suite: Suite) -> Callable[[], None]:
    """Return a function that runs the `reelwright` command line."""
    app = program(suite)

    def run() -> None:
        signal.signal(signal.SIGTERM, _terminate)  # as Ctrl-C: the command removes its unfinished files, and cancels its job
        try:
            app()
        except ReelwrightError as error:
            sys.exit(f"error: {error.detail}")
        except OSError as error:  # such as a port in use, or a folder that cannot be written to
            sys.exit(f"error: {error}")
        except Exception as error:
            if (sentence := _sentence(error)) is None:
                raise
            sys.exit(f"error: {sentence}")

    return run


def _service(name: str, load: LoadService, suite: Suite) -> typer.Typer:
    """Return the command group of a service; its first use imports the service."""

    def build() -> typer.Typer:
        from shared.cli.operation import add_operation

        service, group = load(), typer.Typer()
        for operation in service.operations:
            add_operation(group, operation, _settings, suite.operation)
        if service.commands:
            module, _, function = service.commands.partition(":")
            getattr(importlib.import_module(module), function)(group, _settings)
        return group

    help_text = f"Operations of the service {name}, on local files or on a suite with --remote."
    return typer.Typer(cls=lazy_group(build), help=help_text, no_args_is_help=True)


def _models() -> typer.Typer:
    def build() -> typer.Typer:
        from shared.cli.models import models_group

        return models_group(_settings)

    return typer.Typer(cls=lazy_group(build), help="List, pull and verify model weights.", no_args_is_help=True)


def _keys() -> typer.Typer:
    def build() -> typer.Typer:
        from shared.cli.keys import keys_group

        loopback = "127.0.0.1"  # other addresses need a key, and this command makes the first
        return keys_group(lambda: _settings(host=loopback, published_host=loopback))

    return typer.Typer(cls=lazy_group(build), help="Make, list and revoke API keys; they take effect at once.", no_args_is_help=True)


def _release() -> str:
    """Return the version of this project."""
    try:
        return version("reelwright")
    except PackageNotFoundError:  # in the containers' images, which install its dependencies only
        return str(tomllib.loads(IMAGE_PROJECT.read_text())["project"]["version"])


def _add_version(app: typer.Typer) -> None:
    def show(requested: bool) -> None:
        if requested:
            typer.echo(f"reelwright {_release()}")
            raise typer.Exit

    @app.callback()
    def main(
        _version: Annotated[bool, typer.Option("--version", callback=show, is_eager=True, help="Print the version and exit.")] = False,
    ) -> None:
        return None


def _add_serving(app: typer.Typer, suite: Suite) -> None:
    def settings(host: str | None, port: int | None) -> "Settings":
        from shared.cli.environment import PREFIX, misspelt
        from shared.log import set_up
        from shared.settings import Settings

        address = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        settings = _settings(**address)
        set_up(settings.log_format)
        for sentence in misspelt(os.environ, [PREFIX + name.upper() for name in Settings.model_fields]):
            log.warning("%s", sentence)
        return settings

    host_option = typer.Option(None, help="Address to listen on (REELWRIGHT_HOST).")
    port_option = typer.Option(None, help="Port to listen on (REELWRIGHT_PORT).")

    @app.command(help="Run the whole suite in one process: gateway, web page and every service.")
    def up(host: str | None = host_option, port: int | None = port_option) -> None:
        _run(suite.up(settings(host, port)))

    @app.command(help="Run one service alone, or the gateway alone (REELWRIGHT_SERVICE_URLS gives it the services' addresses).")
    def serve(
        name: Annotated[str, typer.Argument(help=" or ".join(("gateway", *suite.services)))],
        host: str | None = host_option,
        port: int | None = port_option,
    ) -> None:
        names = ("gateway", *suite.services)
        if name not in names:
            sys.exit(f"error: unknown service {name!r}; installed here: {', '.join(names)}")
        _run(suite.serve(name, settings(host, port)))


def _add_upkeep(app: typer.Typer, suite: Suite) -> None:
    @app.command(help="Delete expired jobs, media and uploads. May run beside the suite.")
    def gc() -> None:
        typer.echo(json.dumps(suite.gc(_settings())))

    @app.command(help="Check this machine: ffmpeg, encoders, devices, models, folders, database.")
    def doctor() -> None:
        from rich.console import Console
        from rich.table import Table

        from shared.cli.doctor import examine

        table = Table("check", "", "detail")
        findings = examine(_settings(), suite.load())
        for finding in findings:
            table.add_row(
                finding.subject, "[green]ok[/]" if finding.ok else "[red]no[/]" if finding.needed else "[yellow]-[/]", finding.detail
            )
        Console().print(table)
        if any(finding.needed and not finding.ok for finding in findings):
            raise typer.Exit(1)


def _settings(**overrides: Any) -> "Settings":
    """Read the settings from the environment and `overrides`; make them current.

    Exits with one line for each wrong setting. `overrides` take precedence.
    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from shared.http.params_text import detail_of
    from shared.settings import Settings, use

    lines: Iterable[str]
    try:
        settings = Settings(**overrides)
        use(settings)
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # CUDA and FFmpeg then count GPUs as nvidia-smi does
        return settings
    except ValidationError as error:
        # Without the values, since a secret may be among them.
        lines = [f"{'.'.join(map(str, item['loc'])) or 'settings'}: {detail_of({**item, 'input': None})}" for item in error.errors()]
    except (SettingsError, PermissionError) as error:
        cause = error if isinstance(error, PermissionError) else error.__cause__
        lines = [f"{error}: {cause}"]
        if isinstance(cause, PermissionError):
            lines = [f"this user may not read {cause.filename}; in containers, `docker compose run --rm secrets` sets its owner and mode"]
    sys.exit("error: invalid settings\n  " + "\n  ".join(lines))


def _terminate(_number: int, _frame: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _sentence(error: Exception) -> str | None:
    """Return the message for a network or database error.

    None for other errors. Other errors are defects of this program, and are shown with their traceback.
    """
    import httpx
    import sqlalchemy as sa

    if isinstance(error, httpx.TransportError | httpx.InvalidURL):
        return f"the suite does not answer: {error}"
    if isinstance(error, sa.exc.SQLAlchemyError):
        return f"the database cannot be used: {str(error).splitlines()[0]}"
    return None


def _run(coroutine: Awaitable[None]) -> None:
    async def main() -> None:
        await coroutine

    asyncio.run(main())
