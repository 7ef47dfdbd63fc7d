"""Operations that tamper with their outputs, also after their job has ended."""

import itertools
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TextIO

from shared.operation import Progress
from tests.misbehaving.params import Bad, Done

_held: list[TextIO] = []
"""Outputs of earlier jobs of this process."""


def hold_output(params: Bad, *, output: Path, progress: Progress) -> Done:
    """Keep the output open for writing."""
    output.write_text("published")
    _held.append(output.open("r+"))
    return Done(text="held")


def change_held_output(params: Bad, *, progress: Progress) -> Done:
    """Overwrite what earlier jobs of this process hold open."""
    for file in _held:
        file.write("tampered!")
        file.flush()
    return Done(text=f"changed {len(_held)}")


def name_output_twice(params: Bad, *, output: Path, progress: Progress) -> Done:
    """Link a second name to the output, in a folder where the process may write."""
    output.write_text("published")
    os.link(output, Path(tempfile.gettempdir(), "second-name"))
    return Done(text="named")


def remove_outputs(params: Bad, *, output: Path, progress: Progress) -> Done:
    """Remove the job's folder; unless `tag` is "all", make one of mode 0 there."""
    shutil.rmtree(output.parent.parent)
    if params.tag != "all":
        output.parent.parent.mkdir(0)
    return Done(text="removed")


def write_on(params: Bad, *, output: Path, progress: Progress) -> Done:
    """Leave a thread that writes files without end where the outputs were."""
    folder = output.parent.parent.parent / "more"
    folder.mkdir()

    def write() -> None:
        for number in itertools.count():
            (folder / str(number)).touch()

    threading.Thread(target=write, daemon=True).start()
    time.sleep(0.2)
    output.write_text("published")
    return Done(text="writing")
