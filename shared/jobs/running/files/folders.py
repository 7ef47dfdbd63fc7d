"""Folders of a running job.

While the operation runs, its files are in a folder of its child process, where the sandbox lets it write. They then move to the job's work
folder, which the child process cannot access.
"""

import os
import stat
from pathlib import Path
from typing import Any

from shared.errors import OperationFailed
from shared.jobs.database.rows import Claim
from shared.media.store import MediaStore
from shared.settings import Settings
from shared.worker.folders.deletion import delete_tree
from shared.worker.folders.slot_folders import place
from shared.worker.sandbox import Sandbox
from shared.worker.slot import Slot

OUTPUTS, MEASUREMENTS = "outputs", "measurements"
NEW = "new"
"""Name of a new job's folder, in the slot's folder."""


def work_folder(settings: Settings, job_id: str) -> Path:
    """Return the work folder of a job.

    It is on the volume of the media store, so that finished files are moved by renaming.
    """
    return settings.data_dir.absolute() / "work" / job_id


def new_job_folder(slot: Slot, sandbox: Sandbox, work: Path) -> Path:
    """Create a folder for the operation's files.

    The child process cannot access it until it is moved to `sandbox.outputs`, so it cannot plant links where the server still writes.
    Deletes `work`, the work folder of an earlier attempt.
    """
    slot.empty()
    delete_tree(work)
    work.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(sandbox.folder, NEW)
    delete_tree(folder)
    (folder / OUTPUTS).mkdir(parents=True)
    return folder


def place_inputs(media: MediaStore, sandbox: Sandbox, claim: Claim) -> dict[str, Any]:
    """Copy or link a job's inputs to the child process's folder.

    Returns their paths. Each has the name under which the file was uploaded, so that messages name the file as users know it.
    """

    def path(media_id: str) -> str:
        name = _file_name(media.get(claim.owner, media_id).name)
        return str(place(media.content_path(claim.owner, media_id), sandbox.inputs / media_id, name))

    return {
        name: [path(media_id) for media_id in source] if isinstance(source, list) else path(source) if source else None
        for name, source in claim.inputs.items()
    }


def move_files(slot_folder: Path, work: Path) -> None:
    """Move the operation's files to the work folder `work`.

    Raises OperationFailed if the operation has removed or replaced the folder.
    """
    try:
        os.rename(slot_folder, work)
        for path in (work, work / OUTPUTS):
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise NotADirectoryError
            path.chmod(0o700)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        raise OperationFailed("The operation replaced its output folder. This is a defect of the operation, not of the input.") from None


def changed_at(path: Path) -> int | None:
    """Return a file's modification time in ns, or None."""
    try:
        return path.lstat().st_mtime_ns
    except FileNotFoundError:
        return None


def _file_name(name: str) -> str:
    """Shorten a media name to a valid file name (at most 255 bytes)."""
    suffix = Path(name).suffix[:16]
    return name.removesuffix(suffix).encode()[:160].decode(errors="ignore") + suffix
