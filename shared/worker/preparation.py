"""The call that makes a new child process import a module for later calls."""

import importlib
from dataclasses import dataclass
from types import NoneType

from shared.worker_call import Target


@dataclass(frozen=True)
class Preparation:
    """The request of `prepare`: the module that a child imports first.

    An empty name imports none.
    """

    module: str


def prepare(preparation: Preparation, _progress: object) -> None:
    """Import the module that later calls need. A child process runs this first."""
    if preparation.module:
        importlib.import_module(preparation.module)


PREPARE = Target(name=f"{__name__}:prepare", request=Preparation, answer=NoneType)
