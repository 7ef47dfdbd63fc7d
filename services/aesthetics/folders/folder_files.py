"""Functions that list input files, deliver pictures into a folder and mark processed videos.

Names and suffixes are those of PerfectFrameAI.
"""

import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from shared.errors import Invalid
from shared.media.partial_name import partial_path
from shared.media.zip_files.picture_zip import open_picture

PROCESSED = "frames_extracted_"
"""Prefix of the names of processed videos."""

VIDEO_SUFFIXES = (".mp4", ".mov", ".webm", ".mkv", ".avi")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

_PERFECTFRAME_ROOT = "/app/"
"""Folder of the input and output folders in PerfectFrameAI's containers."""
_PART = re.compile(r"[^/\\\x00-\x1f]{1,200}")
_MAX_NAME_BYTES = 255


def folder_within(root: Path, name: str) -> Path:
    """Return the path of folder `name`, which must lie below `root`.

    A leading `/app/`, the place of the folders in PerfectFrameAI's containers, is ignored, and the path of `root` too. Raises
    Invalid for a name that leads out of `root`, through `..`, another absolute path or a link.
    """
    parts = name.removeprefix(f"{root}/").removeprefix(_PERFECTFRAME_ROOT).removeprefix("./").rstrip("/").split("/")
    if any(part in ("", ".", "..") or part.startswith(".") or not _PART.fullmatch(part) or is_too_long(part) for part in parts):
        raise Invalid(f"{name[:200]!r} is not a valid folder name: give a folder below the shared folder, such as 'input_directory'.")
    path = root
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise Invalid(f"{name[:200]!r} contains a symbolic link. Links are not followed: give the folder itself.")
        if path.exists() and not path.is_dir():
            raise Invalid(f"{name[:200]!r} is a file, not a folder.")
    return path


def is_too_long(name: str) -> bool:
    """Return whether a file name exceeds the usual limit of 255 bytes."""
    return len(os.fsencode(name)) > _MAX_NAME_BYTES


def check_permissions(source: Path, target: Path) -> None:
    """Raise Invalid if `source` cannot be read or `target` cannot be written.

    Both are folders and may not exist yet.
    """
    if source.is_dir() and not os.access(source, os.R_OK | os.X_OK):
        raise Invalid(f"This service may not read {source}. Give user {os.getuid()} permission to read it.")
    while not target.exists():
        target = target.parent
    if not os.access(target, os.W_OK | os.X_OK):
        raise Invalid(f"This service may not write to {target}. Give user {os.getuid()} permission to write there.")


def check_originals(source: Path, target: Path) -> None:
    """Raise Invalid if `target` is the folder `source`, which holds the originals.

    Chosen pictures have the names of their originals and would replace them.
    """
    if source.resolve() == target.resolve():
        raise Invalid(
            f"{source} is both input and output folder, so chosen pictures would replace the originals. Choose another output folder."
        )


def files_in(folder: Path, suffixes: Collection[str], *, ignored_prefix: str = "") -> list[Path]:
    """List the files with one of `suffixes` in a folder, sorted by name.

    Links, hidden files and names that begin with `ignored_prefix` are left out.
    """
    if not folder.is_dir():
        return []
    lower = {suffix.lower() for suffix in suffixes}
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in lower
        and not path.is_symlink()
        and path.is_file()
        and not path.name.startswith(".")
        and not (ignored_prefix and path.name.startswith(ignored_prefix))
    ]


def deliver(archive: Path, names: Collection[str], folder: Path, *, prefix: str = "") -> None:
    """Extract the pictures `names` from a zip file into a folder.

    Each picture is written completely or not at all. Files of the same name are replaced. `prefix` is put before names without it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        plain = Path(name).name
        target = folder / (plain if plain.startswith(prefix) else prefix + plain)
        partial = partial_path(target)
        try:
            with open_picture(archive, name) as (_, source), partial.open("wb") as file:
                shutil.copyfileobj(source, file)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


def mark(video: Path, prefix: str = PROCESSED) -> Path:
    """Mark a video as processed by adding a prefix to its name.

    Marked videos are not processed again. A missing file is ignored. Returns the new path.
    """
    marked, number = _renamed(video, prefix), 2
    while marked.exists():
        marked, number = _renamed(video, f"{prefix}{number}_"), number + 1
    if video.exists():
        video.rename(marked)
    return marked


def _renamed(video: Path, prefix: str) -> Path:
    """Return a video's path with a prefix added to its name.

    The stem is shortened if the name would be too long.
    """
    stem = video.stem
    while is_too_long(prefix + stem + video.suffix):
        stem = stem[:-1]
    return video.with_name(prefix + stem + video.suffix)
