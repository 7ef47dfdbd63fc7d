"""Preparation of a child process, before the time limits of calls count."""

import importlib
from dataclasses import dataclass
from types import NoneType

from shared.worker_call import Target


@dataclass(frozen=True)
class Preparation:
    """The module that a child imports before its first call; empty: none."""

    module: str


def prepare(preparation: Preparation, _progress: object) -> None:
    """Import the module that later calls need."""
    if preparation.module:
        importlib.import_module(preparation.module)


PREPARE = Target(name=f"{__name__}:prepare", request=Preparation, answer=NoneType)
