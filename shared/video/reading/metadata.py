"""Text tags of files and tracks: recording time, title, language, track name."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from av.stream import Disposition

from shared.media.characters import is_readable
from shared.video.limits import Limits
from shared.video.reading.open_input import open_input

# Tags that outputs keep. Left out are place and device, which are private, and tags that describe the source file instead of its content.
_KEPT = ("title", "artist", "album", "genre", "date", "comment", "description", "copyright")
_MOST_CHARACTERS = 2000
# Track names that muxers make up.
_HANDLERS = frozenset(
    {"soundhandler", "videohandler", "core media audio", "core media video", "mono", "stereo", "soundhandle", "videohandle"}
)
_ROLES = (
    Disposition.default | Disposition.dub | Disposition.original | Disposition.comment | Disposition.hearing_impaired
    | Disposition.visual_impaired | Disposition.descriptions
)  # fmt: skip


def file_tags(path: str | os.PathLike[str], limits: Limits) -> dict[str, str]:
    """Read the tags of a file that outputs keep.

    Raises what `open_input` raises.
    """
    with open_input(path, limits=limits) as container:
        return kept_tags(container.metadata)


def kept_tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """Select the tags that outputs keep, under FFmpeg's names.

    `creation_time` is converted to UTC, and kept only if it is plausible.
    """
    lower = {name.lower(): value for name, value in metadata.items()}
    tags = {name: _plain(lower[name]) for name in _KEPT if _plain(lower.get(name, ""))}
    created = _moment(lower.get("creation_time", ""))
    return tags | ({"creation_time": created} if created else {})


def keep_track_tags(source: Any, target: Any) -> None:
    """Copy language, name and role from a source track to an output track.

    Roles are commentary, default and the like.
    """
    if source.language and source.language != "und":
        target.metadata["language"] = source.language
    title = track_title(source.metadata)
    if title:
        # Matroska reads `title`; MP4 and QuickTime read `handler_name`.
        target.metadata["title"] = target.metadata["handler_name"] = title
    target.disposition = source.disposition & _ROLES


def track_title(metadata: Mapping[str, str]) -> str | None:
    """Return the title that a person gave to a track, or None.

    None also if a muxer made the title up.
    """
    lower = {name.lower(): value for name, value in metadata.items()}
    for name in ("title", "name", "handler_name"):
        value = _plain(lower.get(name, ""))
        if value and value.lower() not in _HANDLERS and "\u00a9" not in value and "handler" not in value.lower():
            return value
    return None


def _plain(value: str) -> str:
    return "".join(character for character in value if is_readable(character) or character == "\n").strip()[:_MOST_CHARACTERS]


def _moment(value: str) -> str | None:
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    # 1904 and 1970 come from cameras whose clock was never set.
    if not 1980 <= moment.year < 9000:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if moment.tzinfo else moment.isoformat()
