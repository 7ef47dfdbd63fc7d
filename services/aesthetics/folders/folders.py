"""Folders of files, as PerfectFrameAI worked on: found in one, written into another, and marked once they are done."""

import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from shared.errors import Invalid
from shared.media.partial_name import partial_path
from shared.media.picture_zip import open_picture

PROCESSED = "frames_extracted_"
"""What the name of a video begins with once its frames have been extracted."""

VIDEO_SUFFIXES = (".mp4", ".mov", ".webm", ".mkv", ".avi")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

_SEED_ROOT = "/app/"
_PART = re.compile(r"[^/\\\x00-\x1f]{1,200}")
_MAX_NAME_BYTES = 255


def folder_within(root: Path, given: str) -> Path:
    """A folder below `root` by its relative name. `/app/...`, where PerfectFrameAI's containers had theirs, means the same.

    Raises Invalid for a name that leads out of `root`, through `..`, an absolute path or a link, also one that was put there.
    """
    parts = given.removeprefix(_SEED_ROOT).removeprefix("./").rstrip("/").split("/")
    if any(part in ("", ".", "..") or part.startswith(".") or not _PART.fullmatch(part) or too_long(part) for part in parts):
        raise Invalid(f"{given[:200]!r} is not the name of a folder here: give one below the shared folder, such as 'input_directory'.")
    path = root
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise Invalid(f"{given[:200]!r} leads through a link, which is not followed.")
        if path.exists() and not path.is_dir():
            raise Invalid(f"{given[:200]!r} is a file, not a folder.")
    return path


def too_long(name: str) -> bool:
    """Whether file systems have no room for such a name."""
    return len(os.fsencode(name)) > _MAX_NAME_BYTES


def check_permissions(given: Path, wanted: Path) -> None:
    """See, before any work is done, that one folder can be read and the other written. Raises Invalid."""
    if given.is_dir() and not os.access(given, os.R_OK | os.X_OK):
        raise Invalid(f"{given} cannot be read by this service. Let user {os.getuid()} read it.")
    while not wanted.exists():
        wanted = wanted.parent
    if not os.access(wanted, os.W_OK | os.X_OK):
        raise Invalid(f"{wanted} cannot be written by this service. Let user {os.getuid()} write there.")


def check_originals(given: Path, wanted: Path) -> None:
    """Pictures are named after the files they come from: beside those they would replace them. Raises Invalid for one folder as both."""
    if given.resolve() == wanted.resolve():
        raise Invalid(f"{given} is both the folder of the pictures and that of the chosen ones, which would replace them. Name another.")


def files_in(folder: Path, suffixes: Collection[str], *, but: str = "") -> list[Path]:
    """The files of a folder with one of these suffixes, by name; links, hidden ones and those that begin with `but` are passed over."""
    if not folder.is_dir():
        return []
    wanted = {suffix.lower() for suffix in suffixes}
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in wanted
        and not path.is_symlink()
        and path.is_file()
        and not path.name.startswith(".")
        and not (but and path.name.startswith(but))
    ]


def deliver(archive: Path, names: Collection[str], folder: Path) -> None:
    """Unpack pictures of a zip file into a folder, each whole or not at all; one of the same name is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        target = folder / Path(name).name
        partial = partial_path(target)
        try:
            with open_picture(archive, name) as (_, source), partial.open("wb") as file:
                shutil.copyfileobj(source, file)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


def mark(video: Path, prefix: str = PROCESSED) -> Path:
    """Rename a video that is done, so that it is not taken again; the new path. One that is gone already stays so."""
    marked, number = _renamed(video, prefix), 2
    while marked.exists():
        marked, number = _renamed(video, f"{prefix}{number}_"), number + 1
    if video.exists():
        video.rename(marked)
    return marked


def _renamed(video: Path, prefix: str) -> Path:
    """A video's path with something before its name, which loses its last letters where it gets too long."""
    stem = video.stem
    while too_long(prefix + stem + video.suffix):
        stem = stem[:-1]
    return video.with_name(prefix + stem + video.suffix)
