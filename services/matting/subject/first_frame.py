"""Choice of the subject in the first frame."""

from collections.abc import Mapping
from functools import partial

import cv2
import numpy as np

from services.matting.backends.backend import Mask
from services.matting.reading.views import gray_size
from services.matting.subject.options import Pointing
from services.matting.subject.regions import boxed_region, clicked_region, main_region, masked_region
from services.matting.subject.tracker import First


def first_choice(subject: str, marks: Pointing, width: int, height: int, masks: Mapping[str, Mask] | None) -> First | None:
    """Return a function that chooses the subject in the first frame.

    `subject`: an option of `SubjectOptions.subject`; None is returned for `all`, which keeps every region. `width`, `height`: size of the
    clip, which `marks` refer to. `masks`: the user's masks of the first frame, by subject.
    """
    size = gray_size(width, height)
    match subject:
        case "main":
            return main_region
        case "mask" if masks:
            union = cv2.resize(np.maximum.reduce(list(masks.values())), size, interpolation=cv2.INTER_AREA) > 127
            return partial(masked_region, mask=np.asarray(union))
        case "box":
            box = marks.scaled_box(width, height, size)
            assert box is not None
            return partial(boxed_region, box=box)
        case "point":
            return partial(clicked_region, points=marks.scaled_points(width, height, size), near=max(size) // 50)
    return None
