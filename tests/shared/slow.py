"""A target function that takes long."""

import time
from typing import Any


def sleep(args: dict[str, Any], progress: Any) -> dict[str, Any]:
    time.sleep(60)
    return {}
