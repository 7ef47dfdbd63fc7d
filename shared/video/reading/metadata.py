"""What a file says about itself in words: when it was made, its title, the language and the names of its tracks."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from av.stream import Disposition

from shared.video.limits import Limits
from shared.video.reading.open_input import open_input

# Where a clip was taken and with which device is nobody's business but its owner's, and everything else is about the file that was read.
_KEPT = ("title", "artist", "album", "genre", "date", "comment", "description", "copyright")
_MOST_CHARACTERS = 2000
# Names that muxers make up.
_HANDLERS = frozenset(
    {"soundhandler", "videohandler", "core media audio", "core media video", "mono", "stereo", "soundhandle", "videohandle"}
)
_ROLES = (
    Disposition.default | Disposition.dub | Disposition.original | Disposition.comment | Disposition.hearing_impaired
    | Disposition.visual_impaired | Disposition.descriptions
)  # fmt: skip


def file_tags(path: str | os.PathLike[str], limits: Limits) -> dict[str, str]:
    """The tags of a file that what is made of it keeps. Errors are those of `open_input`."""
    with open_input(path, limits=limits) as container:
        return kept_tags(container.metadata)


def kept_tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """Of a container's tags those that are kept, under FFmpeg's names; `creation_time` in UTC if it is a time that can be."""
    lower = {name.lower(): value for name, value in metadata.items()}
    tags = {name: _plain(lower[name]) for name in _KEPT if _plain(lower.get(name, ""))}
    created = _moment(lower.get("creation_time", ""))
    return tags | ({"creation_time": created} if created else {})


def keep_track_tags(source: Any, target: Any) -> None:
    """Give a track that is written the language, the name and the role (commentary, default, ...) of the one that it comes from."""
    if source.language and source.language != "und":
        target.metadata["language"] = source.language
    title = track_title(source.metadata)
    if title:
        # Matroska reads the one, MP4 and QuickTime the other.
        target.metadata["title"] = target.metadata["handler_name"] = title
    target.disposition = source.disposition & _ROLES


def track_title(metadata: Mapping[str, str]) -> str | None:
    """The name that somebody gave to a track, if anybody did."""
    lower = {name.lower(): value for name, value in metadata.items()}
    for name in ("title", "name", "handler_name"):
        value = _plain(lower.get(name, ""))
        if value and value.lower() not in _HANDLERS and "\u00a9" not in value and "handler" not in value.lower():
            return value
    return None


def _plain(value: str) -> str:
    return "".join(character for character in value if character.isprintable() or character == "\n").strip()[:_MOST_CHARACTERS]


def _moment(value: str) -> str | None:
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    # Cameras whose clock was never set say 1904 or 1970.
    if not 1980 <= moment.year < 9000:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if moment.tzinfo else moment.isoformat()
