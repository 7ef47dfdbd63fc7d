"""An operation that loads a model."""

import os
import time
from pathlib import Path

from pydantic import BaseModel

from shared.models.cache import loaded
from shared.models.files import model_files
from shared.models.folder import install_command
from shared.models.info import ModelUsed, model_used
from shared.operation import Operation, Params, Progress

NAME = "rvm-resnet50"


class Used(BaseModel):
    """Result of the operation: process, time of loading, file sizes and models."""

    pid: int
    loaded_at_ns: int
    sizes: list[int]
    models: list[ModelUsed]


def use(params: Params, *, progress: Progress) -> Used:
    files = model_files(NAME, progress)

    def load() -> int:
        return time.monotonic_ns()

    with loaded(NAME, load, size=1000) as model:
        progress(1, 1)
        return Used(pid=os.getpid(), loaded_at_ns=model, sizes=[_size(path) for path in files.values()], models=[model_used(NAME)])


def _size(path: Path) -> int:
    return path.stat().st_size


USE = Operation(
    name="using.use",
    summary="Use a model",
    params=Params,
    result=Used,
    inputs={},
    run=use,
    example=Params(),
    unavailable=lambda params: install_command(NAME),
)
OPERATIONS = (USE,)
