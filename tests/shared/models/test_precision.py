"""Number formats that a processor supports."""

from pathlib import Path

import pytest

from shared.models.devices.precision import cpu_flags, has_bf16


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512_bf16\n", {"fpu", "avx2", "avx512_bf16"}),
        ("Features\t: fp asimd bf16\n", {"fp", "asimd", "bf16"}),
        ("nothing here\n", set()),
    ],
)
def test_flags_are_read_as_linux_names_them(text: str, flags: set[str], tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(text)
    assert cpu_flags(info) == flags


def test_without_cpuinfo_no_flags_are_assumed(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path / "missing") == frozenset()
    assert has_bf16() in (True, False)
