"""The commands `reelwright jobs`: list, show, retry and cancel jobs of a suite."""

import json
from typing import Annotated

import typer

REMOTE = typer.Option("http://127.0.0.1:8080", "--remote", metavar="URL", envvar="REELWRIGHT_REMOTE", help="URL of the suite.")
KEY = typer.Option("", "--api-key", envvar="REELWRIGHT_API_KEY", help="API key of the suite, if it has keys.")


def add_jobs(app: typer.Typer) -> None:
    """Add the group `jobs` to `app`."""
    jobs = typer.Typer(help="List, show, retry and cancel jobs of a running suite.", no_args_is_help=True)
    app.add_typer(jobs, name="jobs")

    @jobs.command("list", help="List the newest jobs.")
    def list_jobs(remote: str = REMOTE, api_key: str = KEY, limit: Annotated[int, typer.Option(min=1, max=500)] = 20) -> None:
        from rich.console import Console
        from rich.table import Table

        from shared.client import Reelwright

        table = Table("id", "operation", "status", "created", "done")
        for job in Reelwright(remote, api_key).get("/v1/jobs", limit=limit)["items"]:
            progress = f"{job['progress']['fraction']:.0%}" if job["progress"] else ""
            table.add_row(job["id"], job["operation"], job["status"], job["created_at"][:19], progress)
        Console().print(table)

    @jobs.command("show", help="Print one job as JSON.")
    def show(job_id: str, remote: str = REMOTE, api_key: str = KEY) -> None:
        from shared.client import Reelwright

        typer.echo(json.dumps(Reelwright(remote, api_key).get(f"/v1/jobs/{job_id}"), indent=2))

    @jobs.command("retry", help="Run a failed or canceled job again, as a new job; print its id.")
    def retry(job_id: str, remote: str = REMOTE, api_key: str = KEY) -> None:
        from shared.client import Reelwright

        typer.echo(Reelwright(remote, api_key).post(f"/v1/jobs/{job_id}/retry", {})["id"])

    @jobs.command("cancel", help="Cancel a job.")
    def cancel(job_id: str, remote: str = REMOTE, api_key: str = KEY) -> None:
        from shared.client import Reelwright

        typer.echo(Reelwright(remote, api_key).post(f"/v1/jobs/{job_id}/cancel", {})["status"])
