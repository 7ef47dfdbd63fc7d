"""Operations that tamper with their outputs, also after their job has ended."""

import os
import tempfile
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
    """Give the output a second name, where this process may write."""
    output.write_text("published")
    os.link(output, Path(tempfile.gettempdir(), "second-name"))
    return Done(text="named")
