"""The index by hash, and its locks on files that change meanwhile.

Other processes replace or delete the files.
"""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from shared.media.disk import STALE_TRIES
from shared.media.owner_folder.hash_index import HashIndex

DIGEST = "0" * 64


@pytest.fixture
def index(tmp_path: Path) -> HashIndex:
    return HashIndex(tmp_path / "index")


def before_first_lock(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> list[int]:
    """Call `change` before the first lock.

    Returns a list that collects the locked inodes.
    """
    locked: list[int] = []
    lock = fcntl.flock

    def flock(file: IO[Any], operation: int) -> None:
        if not locked:
            change()
        lock(file, operation)
        locked.append(os.fstat(file.fileno()).st_ino)

    monkeypatch.setattr(fcntl, "flock", flock)
    return locked


def replace(path: Path, text: str) -> None:
    """Replace a file, but keep a link to the old file.

    NFS does so for open files.
    """
    os.link(path, path.with_name("kept"))
    path.with_name("new").write_text(text, encoding="ascii")
    path.with_name("new").replace(path)


def test_an_id_is_added_to_the_file_that_replaced_the_opened_one(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add(DIGEST, "a")
    locked = before_first_lock(monkeypatch, lambda: replace(index.folder / DIGEST, "b"))
    index.add(DIGEST, "c")
    assert index.ids(DIGEST) == ["c", "b"]
    assert (index.folder / "kept").read_text(encoding="ascii").split() == ["a"]
    assert len(set(locked)) == 2


def test_an_id_is_added_to_a_new_file_if_the_opened_one_was_deleted(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add(DIGEST, "a")
    before_first_lock(monkeypatch, (index.folder / DIGEST).unlink)
    index.add(DIGEST, "b")
    assert index.ids(DIGEST) == ["b"]


def test_a_sweep_keeps_the_file_that_replaced_the_opened_one(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add(DIGEST, "deleted")
    before_first_lock(monkeypatch, lambda: replace(index.folder / DIGEST, "stored"))
    index.sweep(lambda media_id: media_id == "stored")
    assert index.ids(DIGEST) == ["stored"]


def test_stale_files_are_opened_again_and_a_lasting_error_is_raised(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, tries = fcntl.flock, 0

    def stale_flock(file: IO[Any], operation: int) -> None:
        nonlocal tries
        tries += 1
        if tries != STALE_TRIES:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", stale_flock)
    index.add(DIGEST, "a")
    assert (index.ids(DIGEST), tries) == (["a"], STALE_TRIES)
    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
        index.add(DIGEST, "b")
    assert (index.ids(DIGEST), tries) == (["a"], 2 * STALE_TRIES)


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(index: HashIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add(DIGEST, "a")
    read, tries = Path.read_text, 0

    def stale_read(path: Path, encoding: str | None = None) -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return read(path, encoding=encoding)

    monkeypatch.setattr(Path, "read_text", stale_read)
    assert (index.ids(DIGEST), tries) == (["a"], 2)
