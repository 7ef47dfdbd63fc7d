"""Work in a child process: warm, limited, and killed without harm to anything else."""

from shared.worker.pool import WorkerPool
from shared.worker.slot import Limits, Slot

__all__ = ["Limits", "Slot", "WorkerPool"]
