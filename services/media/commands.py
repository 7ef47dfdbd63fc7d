"""Commands `reelwright media list|upload|show|download|delete`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.listing import print_rows
from shared.cli.options import LOCAL_URL, AsJson, Key, Overwrite, Remote
from shared.client import Reelwright
from shared.errors import Invalid
from shared.settings import Settings

COLUMNS = ("id", "kind", "size", "created", "name")


def add_commands(group: typer.Typer, _settings: Callable[..., Settings]) -> None:
    """Add the commands for media to `group`, the service's command group."""

    @group.command("list", help="List the newest media of a suite. In a pipe: one line per medium, with tabs between the values.")
    def list_media(
        remote: Remote = LOCAL_URL,
        api_key: Key = "",
        kind: Annotated[str | None, typer.Option(help="Only media of this kind, such as video or image.")] = None,
        limit: Annotated[int, typer.Option(help="Maximum number of media.")] = 20,
        as_json: AsJson = False,
    ) -> None:
        with Reelwright(remote, api_key) as client:
            items = client.get("/v1/media", kind=kind, limit=limit)["items"]
        rows = [(item["id"], item["kind"], f"{item['bytes'] / 1e6:.1f} MB", item["created_at"][:19], item["name"]) for item in items]
        print_rows(COLUMNS, rows, items=items, as_json=as_json)

    @group.command(help="Upload files to a suite; print their ids. A broken upload continues.")
    def upload(files: list[Path], remote: Remote = LOCAL_URL, api_key: Key = "", as_json: AsJson = False) -> None:
        with Reelwright(remote, api_key) as client:
            for path in files:
                record = client.upload(path)
                typer.echo(record.model_dump_json(by_alias=True) if as_json else f"{record.id}\t{record.name}")

    @group.command(help="Print the record of a medium as JSON.")
    def show(media_id: str, remote: Remote = LOCAL_URL, api_key: Key = "") -> None:
        with Reelwright(remote, api_key) as client:
            typer.echo(json.dumps(client.get(f"/v1/media/{media_id}"), indent=2))

    @group.command(help="Download a medium, to a file or into a folder; print the path.")
    def download(
        media_id: str,
        target: Annotated[Path, typer.Argument()] = Path(),
        remote: Remote = LOCAL_URL,
        api_key: Key = "",
        overwrite: Overwrite = False,
    ) -> None:
        with Reelwright(remote, api_key) as client:
            record = client.media(media_id)
            path = target / Path(record.name).name if target.is_dir() else target
            if path.exists() and not overwrite:
                raise Invalid(f"{path} already exists: give another name, or --overwrite.")
            typer.echo(client.download(record, path))

    @group.command(help="Delete media of a suite.")
    def delete(media_ids: list[str], remote: Remote = LOCAL_URL, api_key: Key = "") -> None:
        with Reelwright(remote, api_key) as client:
            for media_id in media_ids:
                client.delete(f"/v1/media/{media_id}")
