"""Cutting of videos that hold only keyframes, without re-encoding."""

import os
from fractions import Fraction
from pathlib import Path

import av

from shared.errors import Invalid
from shared.media.partial_name import partial_path
from shared.video.limits import Limits
from shared.video.reading.open_input import main_video, open_input, time_base_of
from shared.video.seconds import Seconds, to_fraction


def cut_keyframes(
    source: str | os.PathLike[str], output: str | os.PathLike[str], *, start_s: Seconds, end_s: Seconds, limits: Limits | None = None
) -> None:
    """Copy a part of a keyframe-only video to an MP4 file, without sound.

    The part lasts from `start_s` to `end_s` seconds. In the file it begins at time 0. Raises Invalid if no picture begins in the part. On
    failure no file is left, and an earlier one stays.
    """
    target = Path(output)
    partial = partial_path(target, ".mp4")
    try:
        if not _copied(source, partial, start_s, end_s, limits or Limits.current()):
            raise Invalid(f"No frame of the video begins between {float(start_s):g} and {float(end_s):g} s.")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _copied(source: str | os.PathLike[str], partial: Path, start_s: Seconds, end_s: Seconds, limits: Limits) -> bool:
    """Copy a part of a video; return whether a picture begins there.

    The part, `start_s` to `end_s`, goes to `partial`.
    """
    with open_input(source, limits=limits) as container:
        stream = main_video(container, source)
        base = time_base_of(stream)
        zero = (stream.start_time or 0) * base
        first, end = to_fraction(start_s) + zero, to_fraction(end_s) + zero
        container.seek(max(int(first / base) - 1, 0), stream=stream)
        with av.open(str(partial), "w", format="mp4") as part:
            copy = part.add_stream_from_template(stream, opaque=True)
            begin: int | None = None
            for packet in container.demux(stream):
                if packet.pts is None or packet.pts * base < first - Fraction(1, 1000):
                    continue
                if packet.pts * base >= end - Fraction(1, 1000):
                    break
                begin = packet.pts if begin is None else begin
                packet.pts -= begin
                packet.dts = packet.pts
                packet.stream = copy
                part.mux(packet)
    return begin is not None
