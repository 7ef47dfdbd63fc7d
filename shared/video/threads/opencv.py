"""Limiting of OpenCV to one thread."""

from collections.abc import Generator
from contextlib import contextmanager

import cv2


@contextmanager
def opencv_on_one_thread() -> Generator[None, None, None]:
    """Limit OpenCV to the calling thread during the `with` block.

    For work that runs on all cores by itself, frame by frame: OpenCV would divide even a picture of 128 pixels among threads of its own,
    and waking them takes longer than the work. The setting is the process's.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
