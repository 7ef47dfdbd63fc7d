"""A drawn scene for the backgrounds of demos and contact sheets."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def evening() -> Picture:
    """Draw an evening scene: a glowing sky, hills and lights.

    (h, w, 3) uint8 in OpenCV's order.
    """
    height, width = 576, 704
    down = np.linspace(0, 1, height)[:, None, None]
    sky = np.array([150, 90, 60]) * (1 - down) + np.array([90, 150, 250]) * down
    picture = np.repeat(sky, width, axis=1)
    across = np.arange(width)
    for number, (level, color) in enumerate(((0.62, (95, 70, 70)), (0.74, (60, 45, 45)), (0.86, (35, 28, 30)))):
        ridge = height * (level + 0.05 * np.sin(across / (60 + 40 * number) + number))
        picture[np.arange(height)[:, None] > ridge[None]] = color
    random = np.random.default_rng(4)
    for _ in range(40):
        place = int(random.integers(0, width)), int(height * random.uniform(0.78, 0.98))
        cv2.circle(picture, place, int(random.integers(2, 6)), (120, 210, 255), -1)
    return np.clip(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 2.2), 0, 255).astype(np.uint8)
