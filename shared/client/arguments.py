"""Types of the arguments that the clients take."""

from collections.abc import Callable
from pathlib import Path
from typing import NewType

from shared.jobs.record import JobProgress
from shared.media.record import MediaRecord

OnProgress = Callable[[JobProgress], None]
"""Called with each progress report of a job."""

File = Path | str | MediaRecord
"""A local path, a medium's record or id, "auto", or a URL to fetch. The server fetches URLs."""

OperationName = NewType("OperationName", str)
"""Name of an operation that this version of the client may not know. Its arguments are checked by the server alone."""
