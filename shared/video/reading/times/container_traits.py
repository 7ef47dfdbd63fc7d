"""Properties of containers that decide how packet times are read."""

import os
from typing import Any

from shared.video.reading.containers import mp4
from shared.video.reading.containers.following_files import FollowingFiles, following_files
from shared.video.reading.containers.truncation import ends_as_stated, is_cut_off_matroska, is_cut_off_mxf, is_unfinished_avi

# Streams without an index or a length of their own: only their packets tell where their clocks restart.
STREAMED = frozenset({"mpegts", "mpeg", "flv", "ogg", "asf"})
# Containers whose index or header lists every packet.
_LISTED = frozenset({"mov", "avi", "mxf", "apng"})


def lists_packets(container: Any, video: Any, path: str | os.PathLike[str]) -> bool:
    """Return whether an open file's container lists all packets.

    Then `scan` returns None.
    """
    name = container.format.name.partition(",")[0]
    cut_off = (name == "avi" and is_unfinished_avi(path)) or (name == "mxf" and is_cut_off_mxf(path))
    unlisted = (name == "mov" and is_fragmented(path)) or cut_off or following_files(path, name).read
    return bool(name in _LISTED and video.duration and not unlisted)


def may_jump(container: Any, path: str | os.PathLike[str]) -> bool:
    """Return whether an open file's clock may jump or restart.

    It may in streams, fragments, recordings without a length, joined files, and Matroska files of another length than they state.
    """
    name = container.format.name.partition(",")[0]
    alone = name == "matroska" and following_files(path, name) == FollowingFiles()
    return _may_restart(container, path) or (alone and not ends_as_stated(path))


def _may_restart(container: Any, path: str | os.PathLike[str]) -> bool:
    """Return whether an open file is of a kind whose clock may restart."""
    name = container.format.name.partition(",")[0]
    if name == "matroska":
        return not container.duration or bool(following_files(path, name).read)
    return name in STREAMED or (name == "mov" and (is_fragmented(path) or following_files(path, name).one_by_one))


def may_end_anywhere(container: Any, path: str | os.PathLike[str]) -> bool:
    """Return whether an open file may end within a picture.

    Streams may, and files that are cut off.
    """
    name = container.format.name.partition(",")[0]
    unfinished = (name == "avi" and is_unfinished_avi(path)) or (name == "matroska" and is_cut_off_matroska(path))
    unfinished = unfinished or (name == "mxf" and is_cut_off_mxf(path))
    return unfinished or _may_restart(container, path)


def is_fragmented(path: str | os.PathLike[str]) -> bool:
    """Return whether an MP4 file is fragmented.

    Its header has a box `mvex` (ISO/IEC 14496-12, 8.8.1).
    """
    with open(path, "rb") as file:
        return mp4.announces_fragments(file)
