"""Preparation of a child process, before the time limits of calls count."""

import importlib
from typing import Any


def prepare(args: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Import `args["module"]`, so that no call has to; empty imports nothing."""
    if args["module"]:
        importlib.import_module(args["module"])
    return {}
