"""Table of the ways to choose the subject in the first frame."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from services.matting.backends.backend import Mask
from services.matting.reading.views import gray_size
from services.matting.subject.pointing import Pointing
from services.matting.subject.regions import boxed_region, clicked_region, main_region, masked_region
from services.matting.subject.tracker import First
from shared.video.frames.scaling import scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The user's marks in the first frame.

    `pointing`: clicks and box, in a clip of `width` x `height` pixels. `masks`: masks by subject; None if no mask was given.
    """

    pointing: Pointing
    width: int
    height: int
    masks: Mapping[str, Mask] | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures in which regions are chosen."""
        return gray_size(self.width, self.height)


def _masked(marks: Marks) -> First | None:
    if not marks.masks:
        return None
    union = scaled(np.maximum.reduce(list(marks.masks.values())), marks.size) > 127
    return partial(masked_region, mask=np.asarray(union))


def _boxed(marks: Marks) -> First | None:
    box = marks.pointing.scaled_box(marks.width, marks.height, marks.size)
    return None if box is None else partial(boxed_region, box=box)


def _clicked(marks: Marks) -> First:
    points = marks.pointing.scaled_points(marks.width, marks.height, marks.size)
    return partial(clicked_region, points=points, near=max(marks.size) // 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectChoice:
    """A way to choose the subject, as a row of SUBJECTS."""

    name: str
    label: str
    """Label in a form."""
    description: str
    first: Callable[[Marks], First | None]
    """Returns a function that chooses the subject among the first frame's regions. None keeps all regions."""


SUBJECTS = {
    row.name: row
    for row in (
        SubjectChoice(name="all", label="Everything", description="everything", first=lambda _marks: None),
        SubjectChoice(
            name="main", label="Main subject", description="the main object, large and near the middle", first=lambda _marks: main_region
        ),
        SubjectChoice(name="mask", label="Mask", description="the objects that `mask` marks on the first frame", first=_masked),
        SubjectChoice(name="box", label="Box", description="the objects that `box` marks on the first frame", first=_boxed),
        SubjectChoice(name="point", label="Clicks", description="the objects that `points` mark on the first frame", first=_clicked),
    )
}
"""Name -> way to choose, in the order of the API reference."""
