"""Turns of probe processes: large pictures are decoded one at a time."""

import threading
from pathlib import Path

from shared.video.probing.large_pictures import LARGE_PIXELS, turn


def most_at_once(folder: Path | None, width: int, height: int) -> int:
    """Return how many of four threads hold a picture's turn at once.

    Each waits a moment for the others.
    """
    inside, most, together = 0, 0, threading.Barrier(4)
    count = threading.Lock()

    def probe() -> None:
        nonlocal inside, most
        with turn(width, height, folder):
            with count:
                inside += 1
                most = max(most, inside)
            if most > 1 or folder is None or width * height <= LARGE_PIXELS:
                together.wait(20)
            with count:
                inside -= 1

    threads = [threading.Thread(target=probe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return most


def test_large_pictures_wait_for_each_other(tmp_path: Path) -> None:
    assert most_at_once(tmp_path / "locks", 7680, 4320) == 1


def test_other_pictures_and_local_files_do_not_wait(tmp_path: Path) -> None:
    assert most_at_once(tmp_path / "locks", 3840, 2160) == 4
    assert most_at_once(None, 7680, 4320) == 4
