"""The documented backup commands of a suite in one process on SQLite, run as printed.

tests/deployment runs that of the containers.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.jobs.database.store import JobStore
from shared.jobs.database.tables import WEBHOOKS
from shared.settings import Settings
from tests.documents.code_blocks import blocks


def names(data_dir: Path) -> list[str]:
    """Return the names of the webhooks in the database of a data folder."""
    store = JobStore(Settings(data_dir=data_dir))
    with store.engine.connect() as connection:
        found = list(connection.scalars(sa.select(WEBHOOKS.c.name)))
    store.close()
    return found


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the program sqlite3 is not installed")
def test_the_files_and_the_database_of_a_running_process_are_backed_up(tmp_path: Path) -> None:
    data = tmp_path / "var"
    for name in ("media/public/1/content.mp4", "work/1/half.mp4", "slots/a/0/in/x", "keys.json"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    store = JobStore(Settings(data_dir=data))
    store.open()
    with store.engine.begin() as connection:  # the rows are still in the write-ahead log
        connection.execute(WEBHOOKS.insert().values(id="1", owner="public", name="kept", created_at=0.0, webhook={}))
    command = blocks("docs/operating.md", "## Backup and restore")[-1]
    assert "sqlite3" in command
    done = subprocess.run(["bash", "-euc", command], cwd=tmp_path, capture_output=True, text=True)
    store.close()
    assert done.returncode == 0, done.stderr

    shutil.rmtree(data)
    subprocess.run(["tar", "-xf", "var.tar"], cwd=tmp_path, check=True)
    assert sorted(path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()) == [
        "keys.json",
        "media/public/1/content.mp4",
    ]
    (tmp_path / "jobs.sqlite").rename(data / "jobs.sqlite")
    assert names(data) == ["kept"]
