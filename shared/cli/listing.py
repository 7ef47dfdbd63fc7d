"""Output of commands such as `jobs list`: a table, plain lines or JSON."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], *, items: Any, as_json: bool) -> None:
    """Print rows as a table, as plain lines or as JSON.

    A terminal gets a table for people; a pipe gets whole values between tabs. `items`: what to print as JSON with `as_json`. The first
    column is never cut.
    """
    if as_json:
        typer.echo(json.dumps(items, indent=2))
    elif not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table(*columns)
        table.columns[0].no_wrap = True
        for row in rows:
            table.add_row(*row)
        Console().print(table)
