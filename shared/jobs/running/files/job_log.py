"""The log of a job: the last lines that its worker process printed.

The server's folders and secrets are removed.
"""

import asyncio
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import without_folders
from shared.jobs.database.ledger import Ledger
from shared.jobs.database.rows import Claim
from shared.log import without_controls
from shared.settings import Settings
from shared.worker.processes.process_end import LINGER_CAUSE

MOST_CHARS, MOST_LINES, MOST_LINE_CHARS = 32 * 1024, 400, 2000
INTERVAL_S = 2.0
"""Seconds between two writes of a running job's log."""
LEAST_SECRET_CHARS = 6
HIDDEN = "***"
SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
"""Matches a terminal's escape sequence: a colour or a movement of the cursor."""
URLS = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)(?:[^\s/?#@]*@)?([^\s/?#]*)([^\s?#\"'<>)]*)(\?[^\s\"'<>)]*)?", re.IGNORECASE)
IN_URL = "\x00"
"""Character that replaces the slashes of addresses while paths are shortened."""
log = logging.getLogger(__name__)


class LogCleaner:
    """A filter that removes secrets and server folders from worker output."""

    def __init__(self, settings: Settings):
        folders = (settings.data_dir, settings.models_folder, Path(__file__).resolve().parents[3], sys.prefix, sys.base_prefix, Path.home())
        spellings = {form for folder in folders for form in (str(Path(folder).absolute()), os.path.realpath(folder))}
        self._folders = sorted(spellings - {"/"}, key=len, reverse=True)
        self._secrets = sorted(_secrets(settings), key=len, reverse=True)

    def clean(self, text: str) -> str:
        """Return the last lines of a text, without secrets and server folders.

        They are at most MOST_LINES and MOST_CHARS, without control characters. Absolute paths are shortened to the last part, addresses
        lose user names, passwords and queries. Of a line that a progress bar rewrites, the last state stays.
        """
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        lines = (self._line(line) for line in text.replace("\r\n", "\n").split("\n"))
        last = [line for line in lines if line.strip()][-MOST_LINES:]
        length = 0
        for number, line in enumerate(reversed(last)):
            length += len(line) + 1
            if length > MOST_CHARS:
                last = last[len(last) - number :]
                break
        return "".join(f"{line}\n" for line in last)

    def _line(self, line: str) -> str:
        line = ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2])
        line = without_controls(line).replace("file://", "file:")
        line = URLS.sub(lambda match: f"{match[1]}{match[2]}{match[3]}{'?' + HIDDEN if match[4] else ''}".replace("/", IN_URL), line)
        for folder in self._folders:
            line = line.replace(f"{folder}/", "/…/")
        line = without_folders(line).replace(IN_URL, "/").rstrip()
        return line if len(line) <= MOST_LINE_CHARS else f"{line[:MOST_LINE_CHARS]}…"


class JobLogWriter:
    """A writer that copies a running job's worker output to the database."""

    def __init__(self, ledger: Ledger, cleaner: LogCleaner, claim: Claim, read: Callable[[], str]):
        """Create a writer for the job of `claim`.

        `read`: returns the output of the job's worker process so far.
        """
        self._ledger, self._cleaner, self._claim, self._read = ledger, cleaner, claim, read
        self._last_text = ""

    async def follow(self) -> None:
        """Write the log at intervals, until canceled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            text = self._read()
            await asyncio.to_thread(self.write, text)

    def write(self, text: str) -> None:
        """Store `text` as the job's log, unless it equals the last stored text.

        Blocks on the database; a log that cannot be written is lost.
        """
        if text == self._last_text:
            return
        self._last_text = text
        with suppress(UnicodeError):
            try:
                self._ledger.write_log(self._claim.id, self._cleaner.clean(text))
            except SQLAlchemyError as error:
                log.warning("the log of job %s was not written: %s", self._claim.id, type(error).__name__)


def report_wait(ledger: Ledger, job_id: str, processes: str) -> None:
    """Log that a dead server's job waits for `processes`.

    Both logs get the line: the server's and the job's. Blocks on the database.
    """
    sentence = f"The server that ran the job has ended. The job waits for the end of {processes}, started by that server. {LINGER_CAUSE}"
    log.warning("job %s: %s", job_id, sentence)
    ledger.write_log(job_id, f"{ledger.logs([job_id]).get(job_id, '')}{sentence}\n")


def _secrets(settings: Settings) -> Iterable[str]:
    """Return the secrets of the settings and of the environment."""
    values = [value for name in type(settings).model_fields for value in _plain(getattr(settings, name))]
    values += [value for name, value in os.environ.items() if SECRET_NAMES.search(name)]
    values += [part.strip() for value in values for part in value.split(",")]
    password = re.search(r"://[^:/@\s]*:([^@/\s]+)@", settings.database)
    values += [password[1]] if password else []
    return {value for value in values if len(value) >= LEAST_SECRET_CHARS and "/" not in value[:1]}


def _plain(value: object) -> list[str]:
    values = value if isinstance(value, tuple) else (value,)
    return [item.get_secret_value() for item in values if isinstance(item, SecretStr)]
