"""Imports in a child process before its first timed call."""

import importlib
from dataclasses import dataclass
from types import NoneType

from shared.worker_call import Target


@dataclass(frozen=True)
class Preparation:
    """The module that a child imports before its first call.

    An empty name imports none.
    """

    module: str


def prepare(preparation: Preparation, _progress: object) -> None:
    """Import the module that later calls need; the entry point in a child."""
    if preparation.module:
        importlib.import_module(preparation.module)


PREPARE = Target(name=f"{__name__}:prepare", request=Preparation, answer=NoneType)
