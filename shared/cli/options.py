"""Command-line options that several commands share."""

from typing import Annotated

import typer

Remote = Annotated[str, typer.Option("--remote", metavar="URL", envvar="REELWRIGHT_REMOTE", help="URL of the suite.")]
Key = Annotated[str, typer.Option("--api-key", envvar="REELWRIGHT_API_KEY", help="API key of the suite, if it needs one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", envvar="REELWRIGHT_OVERWRITE", help="Replace output files that exist.")]
OptionalRemote = Annotated[
    str | None,
    typer.Option(
        "--remote", metavar="URL", envvar="REELWRIGHT_REMOTE", help="URL of a suite that does the work. Default: this machine does it."
    ),
]
LOCAL_URL = "http://127.0.0.1:8080"
"""Address of a suite on this machine."""
