"""The log of a job: its worker's output without folders and secrets."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.jobs.running.files.job_log import MOST_CHARS, MOST_LINES, LogCleaner
from shared.settings import Settings
from tests.misbehaving.server import Server
from tests.waiting import within

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"


@pytest.fixture
def cleaner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LogCleaner:
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefgh")
    settings = Settings(data_dir=tmp_path / "my data", webhook_secret=SecretStr(SECRET), database_url="postgresql://me:pass-word@db/jobs")
    return LogCleaner(settings)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain text, 3/4 done and/or 1/2\n", "plain text, 3/4 done and/or 1/2\n"),
        (f"signed with {SECRET} of hf_abcdefgh at pass-word\n", "signed with *** of *** at ***\n"),
        ("opening '/srv/reel/var/media/0/clip.mp4': no such file\n", "opening 'clip.mp4': no such file\n"),
        ("in /home/me/secret.txt, /etc/passwd", "in secret.txt, passwd\n"),
        ("GET https://me:word@example.com/a/b.mp4?token=1#x", "GET https://example.com/a/b.mp4?***\n"),
        ("file:///srv/media/a.mp4 and x=/srv/b/c", "file:a.mp4 and x=c\n"),
        ("\x1b[31mred\x1b[0m \x07bell\x00\n\n\n", "red bell\n"),
        ("10 %\r50 %\r100 %\r\nnext\r\n", "100 %\nnext\n"),
        ("é\ufffd中", "é\ufffd中\n"),
        ("", ""),
    ],
)
def test_the_log_has_no_secrets_folders_or_control_characters(cleaner: LogCleaner, written: str, shown: str) -> None:
    assert cleaner.clean(written) == shown


def test_the_servers_own_folders_are_hidden_with_spaces_in_their_names(cleaner: LogCleaner, tmp_path: Path) -> None:
    shown = cleaner.clean(f'cannot read {tmp_path}/my data/slots/1/in/clip one.mp4\n  File "{Path(__file__).resolve()}", line 3')
    assert str(tmp_path) not in shown
    assert "my data" not in shown
    assert '"test_job_log.py", line 3' in shown


def test_the_log_keeps_the_last_lines(cleaner: LogCleaner) -> None:
    shown = cleaner.clean("".join(f"line {number}\n" for number in range(5000)))
    assert shown.endswith("line 4999\n")
    assert shown.count("\n") == MOST_LINES
    assert len(cleaner.clean("".join(f"{number} {'x' * 3000}\n" for number in range(100)))) <= MOST_CHARS


def test_what_an_operation_writes_is_in_its_jobs_log(server: Server) -> None:
    job = server.run("talk", log="hello from", count=3)
    answer = server.client.get(job["urls"]["log"])
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines()[0] == "hello from tmp"
    assert "UserWarning: the sky is grey" in answer.text
    assert answer.text.endswith("line 0\nline 1\nline 2\n")
    assert str(server.data_dir) not in answer.text
    silent = server.run("succeed")
    assert server.client.get(silent["urls"]["log"]).text == "", "the log of another job of the same process"
    assert server.client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert server.client.get(job["urls"]["log"]).status_code == 404


def test_the_log_of_a_crash_has_the_python_calls(server: Server) -> None:
    job = server.run("talk", log="last words", count=0)
    assert job["status"] == "failed"
    shown = server.client.get(job["urls"]["log"]).text
    assert "last words" in shown
    assert "Fatal Python error: Aborted" in shown
    assert 'File "operations.py", line' in shown


def test_the_log_of_a_running_job_is_readable_and_bounded(server: Server) -> None:
    job = server.submit("talk", params={"log": "begun", "count": 20_000, "seconds": 60})
    within(60, lambda: "line 19999" in server.client.get(job["urls"]["log"]).text)
    assert len(server.client.get(job["urls"]["log"]).content) <= MOST_CHARS
    server.client.post(job["urls"]["cancel"])
    assert "line 19999" in server.client.get(job["urls"]["log"]).text
