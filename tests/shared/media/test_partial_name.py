"""Temporary names of incomplete files."""

from pathlib import Path

import pytest

from shared.media.partial_name import partial_path


@pytest.mark.parametrize("name", ["clip.mp4", "a" * 251 + ".mp4", "\N{CLAPPER BOARD}" * 62 + ".png"])
def test_every_valid_file_name_has_a_valid_partial_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"before")
    partial = partial_path(path, ".png")
    partial.write_bytes(b"after")
    partial.replace(path)
    assert path.read_bytes() == b"after"
    assert [path.name for path in tmp_path.iterdir()] == [name]
