"""Backend `difference`: mattes by comparison with a picture of the empty scene."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import cv2
import numpy as np
from pydantic import Field

from services.matting.backends.backend import Matte, OpenedBackend, Rgb, Sample, Setup, View
from services.matting.difference.fit import plate_fit
from services.matting.difference.matte import difference_matte
from shared.errors import Invalid
from shared.operation import Params, Progress, form

_TEST_EVERY_S = 1.0
"""Seconds between tests of the plate within a shot. A test takes a few milliseconds: pictures are shrunk to 480 pixels."""


class DifferenceOptions(Params):
    """Params of the comparison with the clean plate, a picture of the empty scene."""

    shadow: float = Field(
        0.6,
        ge=0,
        le=1,
        description="For difference: brightness of the darkest shadow that still counts as background, as a share of the plate's "
        "brightness. 1: shadows belong to the subject.",
        title="Shadows",
        json_schema_extra=form("expert"),
    )


def suits(sample: Sample) -> str | None:
    """Return why `difference` suits the clip, or None if it does not.

    Returns None if there is no plate, or if it does not show the scene of every sampled frame.
    """
    if sample.plate is None or not sample.pictures:
        return None
    fits = [plate_fit(picture, sample.plate) for picture in sample.pictures]
    if any(fit.problem for fit in fits):
        return None
    return f"the clean plate fits: at least {100 * min(fit.agreeing for fit in fits):.0f} % of every frame looks like it"


def plate_problem(sample: Sample) -> str | None:
    """Return why the plate does not fit the clip, or None if it fits.

    The reason is a clause. Returns None if there is no plate.
    """
    if sample.plate is None:
        return None
    problems = (plate_fit(picture, sample.plate).problem for picture in sample.pictures)
    return next((problem for problem in problems if problem), None)


@contextmanager
def open_difference(setup: Setup, options: DifferenceOptions, progress: Progress) -> Iterator[OpenedBackend]:
    """Open the backend that compares a clip with its clean plate.

    Raises Invalid without a plate. Warns once if the plate does not fit, on the first frame of a shot or later in it.
    """
    if setup.plate is None:
        raise Invalid.field("inputs.plate", "the backend difference needs a clean plate", "The backend difference needs a clean plate.")
    plate = np.asarray(cv2.resize(setup.plate, (setup.width, setup.height), interpolation=cv2.INTER_AREA), np.uint8)
    yield OpenedBackend(mattes=partial(_mattes, plate, options.shadow, setup.foreground, progress))


def _mattes(plate: Rgb, shadow: float, foreground: bool, progress: Progress, views: Iterator[View]) -> Iterator[Matte]:
    tested_s, warned = 0.0, False
    for view in views:
        if not warned and (view.cut or view.time_s - tested_s >= _TEST_EVERY_S):
            tested_s = view.time_s
            if problem := plate_fit(view.rgb, plate).problem:
                progress.warn(f"The clean plate does not fit the clip at {view.time_s:.2f} s: {problem}.")
                warned = True
        result = difference_matte(view.rgb, plate, shadow=shadow, foreground=foreground)
        yield Matte(result.alpha, result.foreground)
