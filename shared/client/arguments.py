"""Types of the arguments that the clients take."""

from collections.abc import Callable
from pathlib import Path
from typing import NewType

from shared.jobs.record import JobProgress
from shared.media.record import MediaRecord

OnProgress = Callable[[JobProgress], None]
"""Called with each progress report of a job."""

File = Path | str | MediaRecord
"""A local file, a medium of the server, "auto", or a URL. A file is a path, a medium its record or id; the server fetches the URL."""

OperationName = NewType("OperationName", str)
"""Name of an operation that this version of the client may not know. Its arguments are checked by the server alone."""
