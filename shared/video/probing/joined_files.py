"""Warnings about truncated and unread files in a joined file."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice

from shared.video.probing.timing import Timing
from shared.video.reading.containers.following_files import FilePart, FollowingFiles

_LISTED = 3


def followed_warnings(following: FollowingFiles, times: Timing) -> Iterator[str]:
    """Yield warnings about truncated and unread files in a joined file.

    At most three of each kind, and a sentence with the number of others. `times`: of the joined file.
    """
    begins = [Fraction(0), *times.files] if following.one_by_one else [Fraction(0)]
    ends: list[Fraction | None] = [*begins[1:], times.duration]
    # Another warning names a single file that is cut off.
    if times.whole or following.one_by_one:
        yield from _some(_cut(following.parts, ends))
    yield from _some(
        f"One of the joined files, at bytes {part.begin} to {part.end}, is left out{_at(part, following.parts, ends)}: "
        "its end, with its index, is missing."
        for part in following.lost
    )
    yield from _some(
        f"Another file follows in this file, at byte {part.begin},{_at(part, following.parts, ends, ' after')}: it is not read, "
        "because its coding differs from that of the first. Upload the files one by one, or join them in an editing program."
        for part in following.others
    )
    yield from _some(_silenced(following.parts, begins, times))
    if times.chaptered:
        yield f"The chapters of {times.chaptered} of the joined files were left out: only those of the first are kept."
    if following.unread is not None and times.duration is not None:
        yield (
            f"Another file follows in this file, at byte {following.unread}, after {float(times.duration):.2f} s: it is not read. "
            "Upload the files one by one, or join them in an editing program."
        )


def _cut(parts: Sequence[FilePart], ends: Sequence[Fraction | None]) -> Iterator[str]:
    for part, end in zip(parts, ends, strict=False):
        if part.cut and end is not None:
            yield f"One of the joined files, at bytes {part.begin} to {part.end}, is truncated: its end is missing at {float(end):.2f} s."


def _silenced(parts: Sequence[FilePart], begins: Sequence[Fraction], times: Timing) -> Iterator[str]:
    for (number, place), codec in sorted(times.left_out.items()):
        # Files at the end that hold only such tracks have no place on the timeline.
        if number >= len(begins):
            return
        end = begins[number + 1] if number + 1 < len(begins) else times.duration
        until = "" if end is None else f" to {float(end):.2f}"
        yield (
            f"Audio track {place + 1} ({codec}) of one of the joined files, at bytes {parts[number].begin} to {parts[number].end}, "
            f"was left out from {float(begins[number]):.2f}{until} s: the first file has no such track."
        )


def _at(part: FilePart, read: Sequence[FilePart], ends: Sequence[Fraction | None], word: str = " at") -> str:
    """Return the second at which an unread file would begin, for a sentence."""
    before = sum(other.begin < part.begin for other in read)
    end = Fraction(0) if before == 0 else ends[min(before, len(ends)) - 1]
    return "" if end is None else f"{word} {float(end):.2f} s"


def _some(sentences: Iterable[str]) -> Iterator[str]:
    """Yield the first sentences, and a sentence with the number of the others."""
    sentences = iter(sentences)
    yield from islice(sentences, _LISTED)
    others = sum(1 for _ in sentences)
    if others:
        yield f"So it is with {others} more of the joined files."
