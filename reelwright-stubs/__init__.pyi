"""Types of the names that other programs import from `reelwright`.

`reelwright.py` is a single file, which cannot carry the `py.typed` marker of a typed package (PEP 561).
"""

from shared.client import AsyncReelwright as AsyncReelwright
from shared.client import AsyncRun as AsyncRun
from shared.client import JobCanceled as JobCanceled
from shared.client import JobFailed as JobFailed
from shared.client import OperationName as OperationName
from shared.client import Reelwright as Reelwright
from shared.client import Refused as Refused
from shared.client import Run as Run
from shared.client import Unreachable as Unreachable
