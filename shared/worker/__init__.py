"""Work in child processes, which are warm and limited.

Killing a child harms nothing else.
"""

from shared.worker.pool import WorkerPool
from shared.worker.slot import Limits, Slot

__all__ = ["Limits", "Slot", "WorkerPool"]
