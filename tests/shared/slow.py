"""A target function that takes long."""

import os
import time
from typing import Any


def sleep(args: dict[str, Any], progress: Any) -> dict[str, Any]:
    time.sleep(60)
    return {}


def quick(args: dict[str, Any], progress: Any) -> dict[str, Any]:
    return {"nice": os.nice(0)}


def crash(args: dict[str, Any], progress: Any) -> dict[str, Any]:
    os._exit(3)
