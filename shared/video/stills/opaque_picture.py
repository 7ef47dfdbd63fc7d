"""Reading of still images that are used as backgrounds."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.operation import Progress
from shared.video.stills.image import list_pictures


def opaque_picture(path: Path, progress: Progress) -> NDArray[np.uint8]:
    """Read a still image as upright RGB in sRGB, without transparency.

    Returns uint8 (height, width, 3). Transparent parts are put on black, as those of videos are, and `progress` gets a warning. Raises
    UnsupportedMedia, BrokenMedia or TooLarge.
    """
    image = list_pictures([path])[0].image(alpha=True)
    if image.mode == "RGBA":
        if image.getchannel("A").getextrema()[0] != 255:
            progress.warn("The picture behind the subject has transparent parts: they were filled with black.")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return np.asarray(image.convert("RGB"), np.uint8)
