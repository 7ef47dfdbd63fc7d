"""Worker processes: warm child processes with limits.

Killing a child harms nothing else.
"""

from shared.worker.pool import WorkerPool
from shared.worker.slot import Killed, Limits, Slot

__all__ = ["Killed", "Limits", "Slot", "WorkerPool"]
