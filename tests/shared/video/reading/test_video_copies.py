"""Corrected copies of files stay while they are in use."""

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from shared.video.reading.file_copies import kept_copy


def test_a_copy_stays_while_it_is_in_use_however_many_follow(tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.gif" for number in range(6)]
    for path in names:
        path.write_bytes(path.name.encode())
    with ExitStack() as stack:
        copies = [stack.enter_context(_copy(path)) for path in names]
        assert [copy.read_bytes() for copy in copies] == [path.name.encode() for path in names]
    assert [copy.exists() for copy in copies] == [False] * 2 + [True] * 4
    with _copy(names[5]) as again:
        assert again == copies[5], "a kept copy is used again"


def _copy(path: Path) -> AbstractContextManager[Path]:
    def write(copy: Path) -> None:
        copy.write_bytes(path.read_bytes())

    return kept_copy(path, ".gif", write)
