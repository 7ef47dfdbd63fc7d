"""Commands that make, list and revoke API keys.

They take effect at once in every process.
"""

import json
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Table

from shared.errors import Invalid
from shared.keys.access import Scope
from shared.keys.adoptions import Adoption, AdoptionFile
from shared.keys.key_file import KeyFile
from shared.keys.record import NAME, KeyRecord, hash_of, new_key, now
from shared.settings import LEAST_KEY_CHARS, PUBLIC, Settings, owner_of

SPAN = re.compile(r"(\d{1,4})([hdw])")
UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def keys_group(settings: Callable[[], Settings]) -> typer.Typer:
    """Return the command group `keys`.

    `settings`: reads the settings when a command runs.
    """
    group = typer.Typer()
    _add_making(group, settings)
    _add_list(group, settings)
    _add_changes(group, settings)
    return group


def _add_making(group: typer.Typer, settings: Callable[[], Settings]) -> None:
    """Add the command that creates a key."""

    @group.command(help="Make an API key and print it. Only its hash is kept: it is shown once.")
    def add(
        name: Annotated[str, typer.Argument(help="Name of the key, for the list and the log.")],
        scope: Annotated[
            list[str] | None,
            typer.Option("--scope", help="Right of the key: read, run (includes read) or admin. May be repeated. Default: run."),
        ] = None,
        expires: Annotated[
            str | None, typer.Option("--expires", metavar="SPAN", help="Time after which the key expires, such as 12h, 90d or 8w.")
        ] = None,
        like: Annotated[
            str | None,
            typer.Option("--like", metavar="KEY", help="Existing key whose media and jobs the new key shares, for example to replace it."),
        ] = None,
        max_bytes: Annotated[int | None, typer.Option(min=1, help="Maximum number of stored bytes.")] = None,
        max_jobs: Annotated[int | None, typer.Option(min=1, help="Maximum number of unfinished jobs.")] = None,
        max_requests: Annotated[int | None, typer.Option("--max-requests", min=1, help="Maximum number of requests per minute.")] = None,
        key: Annotated[
            str | None,
            typer.Option("--key", help=f"Use this key, of at least {LEAST_KEY_CHARS} characters. `-`: read it from standard input."),
        ] = None,
    ) -> None:
        if NAME.fullmatch(name) is None:
            raise Invalid(f"{name!r} is not a name for a key: use 1 to 64 letters, digits, spaces or . @ - _.")
        text = _text_of(key)
        file = KeyFile(settings().data_dir)

        def added(records: tuple[KeyRecord, ...]) -> tuple[KeyRecord, ...]:
            if any(record.name == name and record.revoked_at is None for record in records):
                raise Invalid(f"A key named {name!r} already exists: revoke it first, or choose another name.")
            if any(record.hash == hash_of(text) for record in records):
                raise Invalid("The key file already contains this key: use another one.")
            record = KeyRecord(
                id=hash_of(text)[:8],
                name=name,
                hash=hash_of(text),
                owner=_find(records, like).owner if like else owner_of(text),
                scopes=_scopes(scope),
                created_at=now(),
                expires_at=_expiry(expires),
                max_bytes=max_bytes,
                max_jobs=max_jobs,
                max_requests=max_requests,
            )
            return (*records, record)

        first = not file.read()
        file.change(added)
        typer.echo(text)
        typer.echo(f"key {name!r} is valid now; save it, because it is not shown again", err=True)
        if first:
            typer.echo(
                "requests need a key from now on. Media and jobs made without keys are hidden: "
                f"`reelwright keys adopt {name}` gives them to this key",
                err=True,
            )


def _add_list(group: typer.Typer, settings: Callable[[], Settings]) -> None:
    """Add the command that lists the keys."""

    @group.command("list", help="List the API keys of the key file.")
    def show(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
        records = KeyFile(settings().data_dir).read()
        if as_json:
            typer.echo(json.dumps([record.model_dump(mode="json", exclude={"hash"}) for record in records], indent=2))
            return
        table = Table("id", "name", "scopes", "created", "state", "quotas", "owner")
        for record in records:
            state = "revoked" if record.revoked_at else "expired" if record.refusal(now()) else "valid"
            until = f" until {record.expires_at:%Y-%m-%d %H:%M}" if state == "valid" and record.expires_at else ""
            table.add_row(
                record.id,
                record.name,
                ",".join(record.scopes),
                f"{record.created_at:%Y-%m-%d}",
                state + until,
                _quotas(record),
                record.owner,
            )
        Console().print(table)


def _add_changes(group: typer.Typer, settings: Callable[[], Settings]) -> None:
    """Add the commands that revoke a key and transfer data to a key."""

    @group.command(help="Revoke an API key at once. Its media and jobs stay.")
    def revoke(key: Annotated[str, typer.Argument(help="Name or id of the key.")]) -> None:
        def revoked(records: tuple[KeyRecord, ...]) -> tuple[KeyRecord, ...]:
            target = _find(records, key)
            return tuple(
                record.model_copy(update={"revoked_at": now()}) if record.id == target.id and record.revoked_at is None else record
                for record in records
            )

        KeyFile(settings().data_dir).change(revoked)
        typer.echo(f"key {key!r} is revoked", err=True)

    @group.command(help="Give a key the media and jobs that were made without keys, or by another owner.")
    def adopt(
        key: Annotated[str, typer.Argument(help="Name or id of the key that gets the media and jobs.")],
        owner: Annotated[str, typer.Option("--from", metavar="OWNER", help="Current owner, as shown by `keys list`.")] = PUBLIC,
    ) -> None:
        from shared.jobs.adoption import adopt as hand_over

        current = settings()
        record = _find(KeyFile(current.data_dir).read(), key)
        adopted = hand_over(current, source=owner, target=record.owner)
        adoption = Adoption(at=now(), key_id=record.id, name=record.name, source=owner, jobs=adopted.jobs, media=adopted.media)
        AdoptionFile(current.data_dir).add(adoption)
        typer.echo(f"{adopted.jobs} jobs and {adopted.media} media now belong to key {key!r}", err=True)


def _text_of(key: str | None) -> str:
    """Return the text of a new key: given, read from standard input, or random.

    `key`: the text; `-` to read it from standard input; None for a random one.
    """
    text = sys.stdin.readline().strip() if key == "-" else key or new_key()
    if len(text) < LEAST_KEY_CHARS:
        raise Invalid(f"The key has {len(text)} characters; it needs at least {LEAST_KEY_CHARS}.")
    return text


def _find(records: tuple[KeyRecord, ...], key: str) -> KeyRecord:
    """Return the key with the given name or id.

    A valid key comes before a revoked one of the same name. Raises Invalid.
    """
    matches = [record for record in records if key in (record.name, record.id)]
    if not matches:
        raise Invalid(f"There is no key {key!r}. `reelwright keys list` shows all keys.")
    return min(matches, key=lambda record: record.revoked_at is not None)


def _scopes(names: list[str] | None) -> tuple[Scope, ...]:
    scopes: tuple[Scope, ...] = get_args(Scope)
    requested = [part for text in names or ["run"] for part in text.split(",")]
    if unknown := [scope for scope in requested if scope not in scopes]:
        raise Invalid(f"Unknown scope {unknown[0]!r}: choose {', '.join(scopes)}.")
    return tuple(scope for scope in scopes if scope in requested)


def _expiry(span: str | None) -> datetime | None:
    if span is None:
        return None
    if (match := SPAN.fullmatch(span)) is None or not int(match[1]):
        raise Invalid(f"--expires {span!r} is not a time span: write it as 12h, 90d or 8w.")
    return now() + timedelta(**{UNITS[match[2]]: int(match[1])})


def _quotas(record: KeyRecord) -> str:
    quotas = ((record.max_bytes, "bytes"), (record.max_jobs, "jobs"), (record.max_requests, "requests/min"))
    return ", ".join(f"{limit} {unit}" for limit, unit in quotas if limit is not None) or "-"
