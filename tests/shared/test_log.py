"""Contents of a log line, and the headers that trace calls between services."""

import json
import logging
import os
import re
import subprocess
import sys

import pytest

from shared.log import CURRENT_JOB, CURRENT_REQUEST, JsonLines, fields, forwarded_headers

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def written(caplog: pytest.LogCaptureFixture) -> dict:
    line = JsonLines().format(caplog.records[-1])
    assert "\n" not in line
    return json.loads(line)


async def test_a_line_names_the_request_and_the_job(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    CURRENT_REQUEST.set({"x-request-id": "r1", "traceparent": TRACE})
    CURRENT_JOB.set("j1")
    logging.getLogger("here").info("line\n%s", 2, extra=fields(operation="a.b", seconds=0.5))
    line = written(caplog)
    assert line.pop("time").endswith("+00:00")
    entry = {"level": "info", "logger": "here", "message": "line\n2", "operation": "a.b", "seconds": 0.5}
    assert line == entry | {"request_id": "r1", "trace_id": TRACE.split("-")[1], "job_id": "j1"}


async def test_a_line_contains_the_raised_error(caplog: pytest.LogCaptureFixture) -> None:
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("here").warning("broken", exc_info=True)
    line = written(caplog)
    assert "ZeroDivisionError" in line["exception"]
    assert "request_id" not in line


async def test_calls_carry_the_request_or_else_the_job() -> None:
    assert forwarded_headers() == {}
    CURRENT_JOB.set("j2")
    assert forwarded_headers() == {"x-request-id": "j2"}
    CURRENT_REQUEST.set({"x-request-id": "r2", "traceparent": TRACE})
    assert forwarded_headers() == {"x-request-id": "r2", "traceparent": TRACE}


def test_a_text_log_in_a_file_has_one_line_for_each_record() -> None:
    words = "many words " * 40
    program = f"import logging; from shared.log import set_up; set_up('text'); logging.warning({words!r}); logging.error('broken')"
    written = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "80"}
    )
    warning, error = written.stderr.splitlines()
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d WARNING  {words}", warning)
    assert error.endswith(" ERROR    broken")
