"""Sandbox: limits that a worker process sets on itself before opening untrusted files.

Each layer works without privileges. A process can only narrow its own limits, and its descendants inherit them.
"""

from shared.worker.sandbox.entry import enter
from shared.worker.sandbox.layers import OPTIONAL, Layer, available
from shared.worker.sandbox.plan import Sandbox

__all__ = ["OPTIONAL", "Layer", "Sandbox", "available", "enter"]
