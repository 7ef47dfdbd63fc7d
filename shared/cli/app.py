"""The `reelwright` command, made from the same declarations as the API."""

import asyncio
import importlib
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.table import Table

from shared.cli.client import Remote
from shared.cli.doctor import examine
from shared.cli.models import add_models
from shared.cli.operation import add_operation
from shared.errors import ReelwrightError
from shared.log import set_up
from shared.operation import Service
from shared.settings import Settings, use

REMOTE = typer.Option("http://127.0.0.1:8080", "--remote", metavar="URL", envvar="REELWRIGHT_REMOTE", help="URL of the suite.")
KEY = typer.Option("", "--api-key", envvar="REELWRIGHT_API_KEY", help="API key of the suite, if it has keys.")


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The installed services, and the functions that run them."""

    services: tuple[Service, ...]
    up: Callable[[Settings], Awaitable[None]]
    serve: Callable[[str, Settings], Awaitable[None]]
    gc: Callable[[Settings], dict[str, int]]
    add_more: Callable[[typer.Typer, tuple[Service, ...], Callable[[], Settings]], None] | None = None
    """Adds commands of its own; it gets the command, the services, and a function that reads the settings and puts them in force."""


def command_line(suite: Suite) -> Callable[[], None]:
    """Make the `reelwright` command."""
    app = typer.Typer(
        help="Reelwright: a self-hosted suite for AI video effects.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    _add_serving(app, suite)
    _add_jobs(app)
    _add_upkeep(app, suite)
    add_models(app, _settings)
    if suite.add_more is not None:
        suite.add_more(app, suite.services, _settings)
    operations = {operation.name: operation for service in suite.services for operation in service.operations}
    for service in suite.services:
        group = typer.Typer(help=f"{service.title}. Works on local files, or on a suite with --remote.", no_args_is_help=True)
        for operation in service.operations:
            add_operation(group, operation, _settings, operations)
        if service.commands:
            module, _, name = service.commands.partition(":")
            getattr(importlib.import_module(module), name)(group, _settings)
        app.add_typer(group, name=service.name)

    def run() -> None:
        try:
            app()
        except ReelwrightError as error:
            sys.exit(f"error: {error.detail}")
        except (httpx.TransportError, httpx.InvalidURL) as error:
            sys.exit(f"error: the suite does not answer: {error}")
        except sa.exc.SQLAlchemyError as error:
            sys.exit(f"error: the database cannot be used: {str(error).splitlines()[0]}")
        except OSError as error:  # such as a port in use, or a folder that cannot be written to
            sys.exit(f"error: {error}")

    return run


def _add_serving(app: typer.Typer, suite: Suite) -> None:
    def settings(host: str | None, port: int | None) -> Settings:
        given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        settings = _settings(**given)
        set_up(settings.log_format)
        return settings

    host_option = typer.Option(None, help="Address to listen on (REELWRIGHT_HOST).")
    port_option = typer.Option(None, help="Port to listen on (REELWRIGHT_PORT).")

    @app.command(help="Run the whole suite in one process: gateway, web page and every service.")
    def up(host: str | None = host_option, port: int | None = port_option) -> None:
        _run(suite.up(settings(host, port)))

    @app.command(help="Run one service alone, or the gateway alone (REELWRIGHT_SERVICE_URLS gives it the services' addresses).")
    def serve(
        name: Annotated[str, typer.Argument(help=" or ".join(("gateway", *(service.name for service in suite.services))))],
        host: str | None = host_option,
        port: int | None = port_option,
    ) -> None:
        names = ("gateway", *(service.name for service in suite.services))
        if name not in names:
            sys.exit(f"error: unknown service {name!r}; installed here: {', '.join(names)}")
        _run(suite.serve(name, settings(host, port)))


def _add_jobs(app: typer.Typer) -> None:
    jobs = typer.Typer(help="List, show, retry and cancel jobs of a running suite.", no_args_is_help=True)
    app.add_typer(jobs, name="jobs")

    @jobs.command("list", help="List the newest jobs.")
    def list_jobs(remote: str = REMOTE, api_key: str = KEY, limit: Annotated[int, typer.Option(min=1, max=500)] = 20) -> None:
        table = Table("id", "operation", "status", "created", "done")
        for job in Remote(remote, api_key).get("/v1/jobs", limit=limit)["items"]:
            progress = f"{job['progress']['fraction']:.0%}" if job["progress"] else ""
            table.add_row(job["id"], job["operation"], job["status"], job["created_at"][:19], progress)
        Console().print(table)

    @jobs.command("show", help="Print one job as JSON.")
    def show(job_id: str, remote: str = REMOTE, api_key: str = KEY) -> None:
        typer.echo(json.dumps(Remote(remote, api_key).get(f"/v1/jobs/{job_id}"), indent=2))

    @jobs.command("retry", help="Run a failed or canceled job again, as a new job; print its id.")
    def retry(job_id: str, remote: str = REMOTE, api_key: str = KEY) -> None:
        typer.echo(Remote(remote, api_key).post(f"/v1/jobs/{job_id}/retry", {})["id"])

    @jobs.command("cancel", help="Cancel a job.")
    def cancel(job_id: str, remote: str = REMOTE, api_key: str = KEY) -> None:
        typer.echo(Remote(remote, api_key).post(f"/v1/jobs/{job_id}/cancel", {})["status"])


def _add_upkeep(app: typer.Typer, suite: Suite) -> None:
    @app.command(help="Delete expired jobs, media and uploads. May run beside the suite.")
    def gc() -> None:
        typer.echo(json.dumps(suite.gc(_settings())))

    @app.command(help="Check this machine: ffmpeg, encoders, devices, models, folders, database.")
    def doctor() -> None:
        table = Table("check", "", "detail")
        findings = examine(_settings(), suite.services)
        for finding in findings:
            table.add_row(
                finding.what, "[green]ok[/]" if finding.ok else "[red]no[/]" if finding.needed else "[yellow]-[/]", finding.detail
            )
        Console().print(table)
        if any(finding.needed and not finding.ok for finding in findings):
            raise typer.Exit(1)


def _settings(**given: Any) -> Settings:
    """Read the settings and put them in force.

    Exits with one line for each wrong setting. `given` overrides the environment.
    """
    try:
        settings = Settings(**given)
        use(settings)
        return settings
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()]
    except SettingsError as error:
        lines = [f"{error}: {error.__cause__}"]
    sys.exit("error: invalid settings\n  " + "\n  ".join(lines))


def _run(coroutine: Awaitable[None]) -> None:
    async def main() -> None:
        await coroutine

    asyncio.run(main())
