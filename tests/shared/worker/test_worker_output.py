"""Output of worker processes in the server's log: whole lines that cannot pass for the server's."""

import os

import pytest

from shared.worker.output_tail import LONGEST_LINE_CHARS, PREFIX, OutputTail


async def test_a_worker_process_forges_no_line_of_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    output = OutputTail()
    writing = output.open()
    parts = [
        b"\x1b[31mred\x1b[0m\n2026 INFO ",
        b"operator: key added\r\n\n\xe2\x82",
        b"\xac \xff\xc2\x9b3J\rbar",
        b"x" * LONGEST_LINE_CHARS,
    ]
    for part in parts:
        os.write(writing, part)
        output.add("")
        lines = capfd.readouterr().err.split("\n")
        assert all(line.startswith(PREFIX) and line.isprintable() for line in lines[:-1])
        assert lines[-1] == ""
    os.write(writing, b"end")
    os.close(writing)
    output.close()
    assert capfd.readouterr().err == f"{PREFIX}end\n"


async def test_lines_are_forwarded_whole_and_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    output = OutputTail()
    writing = output.open()
    for part in (b"fir", b"st\nsec", b"ond\n"):
        os.write(writing, part)
        output.add("from the server")
    os.close(writing)
    output.close()
    assert capfd.readouterr().err == f"{PREFIX}first\n{PREFIX}second\n"
