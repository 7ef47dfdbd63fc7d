"""Commands that list and control the jobs of a suite (`reelwright jobs`).

They list, show, follow, log, retry and cancel jobs.
"""

import json
from typing import Annotated, Any

import typer

from shared.cli.listing import print_rows
from shared.cli.options import LOCAL_URL, AsJson, Key, Remote

COLUMNS = ("id", "operation", "status", "created", "done")


def add_jobs(app: typer.Typer) -> None:
    """Add the command group `jobs` to `app`."""
    jobs = typer.Typer(help="List, show, follow, retry and cancel jobs of a running suite, and read their logs.", no_args_is_help=True)
    app.add_typer(jobs, name="jobs")
    _add_reading(jobs)
    _add_changes(jobs)


def _add_reading(jobs: typer.Typer) -> None:
    """Add the commands that list, show and follow jobs, and print their logs."""

    @jobs.command("list", help="List the newest jobs. In a pipe: one line per job, with tabs between the values.")
    def list_jobs(
        remote: Remote = LOCAL_URL,
        api_key: Key = "",
        limit: Annotated[int, typer.Option(help="Maximum number of jobs.")] = 20,
        status: Annotated[str | None, typer.Option(help="Only jobs in this state, such as running or failed.")] = None,
        service: Annotated[str | None, typer.Option(help="Only jobs of this service.")] = None,
        operation: Annotated[str | None, typer.Option(help="Only jobs of this operation.")] = None,
        name: Annotated[str | None, typer.Option(help="Only jobs whose name contains this text.")] = None,
        as_json: AsJson = False,
    ) -> None:
        from shared.client import Reelwright

        with Reelwright(remote, api_key) as client:
            items = client.get("/v1/jobs", limit=limit, status=status, service=service, operation=operation, name=name)["items"]
        rows = [(job["id"], job["operation"], job["status"], job["created_at"][:19], _done(job)) for job in items]
        print_rows(COLUMNS, rows, items=items, as_json=as_json)

    @jobs.command("show", help="Print one job as JSON.")
    def show(job_id: str, remote: Remote = LOCAL_URL, api_key: Key = "") -> None:
        from shared.client import Reelwright

        with Reelwright(remote, api_key) as client:
            typer.echo(json.dumps(client.get(f"/v1/jobs/{job_id}"), indent=2))

    @jobs.command("follow", help="Print the progress of a job until its end. Exits with 1 if it does not succeed.")
    def follow(job_id: str, remote: Remote = LOCAL_URL, api_key: Key = "", as_json: AsJson = False) -> None:
        from shared.client import Reelwright
        from shared.jobs.record import JobProgress

        def report(progress: JobProgress) -> None:
            typer.echo(progress.model_dump_json() if as_json else f"{progress.fraction:6.1%} {progress.stage}")

        with Reelwright(remote, api_key) as client:
            run = client.wait(job_id, report)
        typer.echo(run.job.model_dump_json(by_alias=True) if as_json else run.job.status)

    @jobs.command("log", help="Print the last lines of a job's worker process; for a pipeline, of all its steps.")
    def log(job_id: str, remote: Remote = LOCAL_URL, api_key: Key = "") -> None:
        from shared.client import Reelwright

        with Reelwright(remote, api_key) as client:
            typer.echo(client.log(job_id), nl=False)


def _add_changes(jobs: typer.Typer) -> None:
    """Add the commands that retry and cancel a job."""

    @jobs.command("retry", help="Run a failed or canceled job again, as a new job; print its id.")
    def retry(job_id: str, remote: Remote = LOCAL_URL, api_key: Key = "") -> None:
        from shared.client import Reelwright

        with Reelwright(remote, api_key) as client:
            typer.echo(client.retry(job_id).job.id)

    @jobs.command("cancel", help="Cancel a job.")
    def cancel(job_id: str, remote: Remote = LOCAL_URL, api_key: Key = "") -> None:
        from shared.client import Reelwright

        with Reelwright(remote, api_key) as client:
            typer.echo(client.cancel(job_id).job.status)


def _done(job: dict[str, Any]) -> str:
    return f"{job['progress']['fraction']:.0%}" if job["progress"] else ""
