"""Functions that tests call in worker processes."""

import os
import subprocess
import sys
import time
from typing import Any


def sleep(args: dict[str, Any], progress: Any) -> dict[str, Any]:
    time.sleep(60)
    return {}


def quick(args: dict[str, Any], progress: Any) -> dict[str, Any]:
    return {"nice": os.nice(0)}


def crash(args: dict[str, Any], progress: Any) -> dict[str, Any]:
    os._exit(3)


def program(_args: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Start a Python program that imports the project."""
    code = "import shared.operation; print(shared.operation.__name__)"
    return {"said": subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/usr").stdout.strip()}


def outside(args: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """List a folder outside of the sandbox."""
    return {"said": os.listdir(args["path"])}
