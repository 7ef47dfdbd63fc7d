"""Worker processes: child processes that run operations, kept ready and limited.

A slot (slot.py) holds one child process and runs one call at a time in it; a pool (pool.py) has several slots. A child that is killed harms
nothing else.
"""

from shared.worker.limits import Limits
from shared.worker.pool import WorkerPool
from shared.worker.slot import Killed, Slot

__all__ = ["Killed", "Limits", "Slot", "WorkerPool"]
