"""Temporary folders of command-line runs."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from shared.cli.temporary_folders import temporary_files, temporary_folder

HOLD = """
import sys, time
from pathlib import Path
from shared.cli.temporary_folders import temporary_folder
with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "out.mp4").write_text("half")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_the_folder_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        with temporary_folder(tmp_path) as own:
            assert folder.is_dir(), "its process lives"
            assert own != folder
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert list(folder.iterdir()) == [folder / "out.mp4"]
    with temporary_folder(tmp_path) as own:
        assert list(tmp_path.iterdir()) == [own]
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_go_into_a_folder_of_their_own() -> None:
    before = tempfile.gettempdir()
    with temporary_files():
        handle, name = tempfile.mkstemp()
        os.close(handle)
        assert Path(name).parent.parent == Path(before)
    assert not Path(name).exists()
    assert tempfile.gettempdir() == before
