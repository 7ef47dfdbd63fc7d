"""Folders that a worker process writes to: what the server takes out of them, and how it deletes them."""

import errno
import fcntl
import mmap
import os
import shutil
import stat
from functools import partial
from pathlib import Path

import pytest

from shared.errors import WorkerCrashed
from shared.jobs.running.files.folders import OUTPUTS, new_job_folder
from shared.worker import Limits, Slot, WorkerPool
from shared.worker.folders.deletion import delete_tree
from shared.worker.folders.taken_file import take
from shared.worker.sandbox import Sandbox
from tests.shared.slow import QUICK, Empty

DEPTH = 1500
"""Depth of nested folders, beyond Python's recursion limit and the system's longest path."""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("key")
    return tmp_path / "outside/secret"


@pytest.mark.parametrize("volumes", [1, 2])
def test_a_file_is_taken_and_examined_where_the_child_cannot_exchange_it(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch, volumes: int
) -> None:
    def refuse(*_paths: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    if volumes == 2:
        monkeypatch.setattr(os, "rename", refuse)
    source, target = tmp_path / "written", tmp_path / "taken"
    source.write_text("picture")
    take(source, target)
    assert (target.read_text(), source.exists()) == ("picture", False)
    with pytest.raises(WorkerCrashed, match="'written'"):
        take(source, target)
    plants = (
        *(partial(source.symlink_to, secret), partial(os.link, secret, source), source.mkdir, partial(os.mkfifo, source)),
        partial(os.mknod, source, stat.S_IFSOCK | 0o600),
    )
    for plant in plants:
        plant()
        with pytest.raises(WorkerCrashed, match="something else than a file for 'written'"):
            take(source, target)
        delete_tree(source)
    sparse = source.open("wb")
    sparse.truncate(shutil.disk_usage(tmp_path).total + 2**30)
    sparse.close()
    with pytest.raises(WorkerCrashed, match="larger than the free disk"):
        take(source, target)
    delete_tree(source)
    assert (target.read_text(), secret.read_text()) == ("picture", "key")
    assert {path.name for path in tmp_path.iterdir()} == {"outside", "taken"}


@pytest.mark.parametrize("hold", ["descriptor", "memory"])
def test_a_file_that_is_still_open_for_writing_is_copied(tmp_path: Path, hold: str) -> None:
    source, target = tmp_path / "written", tmp_path / "taken"
    with source.open("w+b") as file:
        file.write(b"before")
        file.flush()
        memory = mmap.mmap(file.fileno(), 6)
        if hold == "memory":
            file.close()
        take(source, target)
        memory[:] = b"after!"
    assert target.read_text() == "before"


@pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="only Linux has leases")
def test_a_file_that_nobody_holds_is_moved(tmp_path: Path) -> None:
    source = tmp_path / "written"
    source.touch(0o400)
    number = source.stat().st_ino
    with source.open("rb"):
        take(source, source)
    assert (source.stat().st_ino, stat.S_IMODE(source.stat().st_mode)) == (number, 0o600)


def test_deep_and_closed_folders_are_deleted_and_no_link_is_followed(tmp_path: Path, secret: Path) -> None:
    top = tmp_path / "top"
    (top / "closed/inner").mkdir(parents=True)
    (top / "closed/inner/sitecustomize.py").write_text("")
    (top / "link").symlink_to(secret.parent)
    (top / ".deleted-0").write_text("a name that the deletion uses")
    folder = os.open(top, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("deeper", dir_fd=folder)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    for closed in (top / "closed/inner", top / "closed", top):
        closed.chmod(0)
    assert not delete_tree(top, within_s=0)
    assert top.exists()
    assert delete_tree(top)
    assert not top.exists()
    assert delete_tree(top)
    top.symlink_to(secret.parent)
    delete_tree(top)
    assert not os.path.lexists(top)
    assert secret.read_text() == "key"


def test_a_job_folder_is_made_where_the_child_cannot_plant_links(tmp_path: Path) -> None:
    sandbox = Sandbox(folder=str(tmp_path / "slot"), data_dir=str(tmp_path))
    folder = new_job_folder(Slot(Limits(timeout_s=1, memory_bytes=1), sandbox), sandbox, tmp_path / "work/job")
    assert (folder / OUTPUTS).is_dir()
    open_to_child = (sandbox.inputs, sandbox.outputs, sandbox.temporary)
    assert not any(place == folder or place in folder.parents for place in open_to_child)


async def test_a_child_process_opens_files_of_one_owner_only() -> None:
    pool = WorkerPool(size=2, limits=Limits(timeout_s=60, memory_bytes=2**30), idle_s=60)

    async def child_of(owner: str) -> int:
        async with pool.lease(owner=owner) as slot:
            await slot.call(QUICK, Empty())
            assert slot._process is not None
            return slot._process.pid

    try:
        alice, bob = await child_of("alice"), await child_of("bob")
        assert alice != bob
        assert [await child_of(owner) for owner in ("alice", "bob", "alice")] == [alice, bob, alice], "each has a child of their own"
        carol = await child_of("carol")
        assert carol not in (alice, bob)
        assert [await child_of(owner) for owner in ("carol", "bob", "carol")].count(carol) == 2
        async with pool.lease(owner="carol") as first, pool.lease(owner="alice") as second:
            assert (first.warm, second.warm) == (True, False), "a child of another owner is ended before files are placed"
    finally:
        await pool.close()
