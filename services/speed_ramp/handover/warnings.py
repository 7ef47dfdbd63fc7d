"""What rendering changes about a clip, in sentences for the job's warnings."""

from collections.abc import Iterator
from fractions import Fraction

import av

from shared.video import AudioTrackInfo, VideoInfo, conversion_warnings

_LONGER_S = 0.25


def changes(info: VideoInfo, rate: Fraction) -> Iterator[str]:
    """One sentence for each thing that the output, at `rate` frames a second, does not keep."""
    if info.variable_frame_rate:
        yield f"The frame rate varied (on average {float(info.rate):.4g}); the output has a constant {rate} frames a second."
    elif rate != info.rate:
        yield f"The frame rate was brought from {info.frame_rate} to {rate} frames a second."
    yield from conversion_warnings(info, to_sdr8=True)
    for number, track in enumerate(info.audio, start=1):
        if track.duration_s is not None and track.duration_s > info.duration_s + _LONGER_S:
            yield f"Audio track {number} is longer than the picture ({track.duration_s:.2f} s) and was cut to the picture's length."


def layout_of(track: AudioTrackInfo, channels: int) -> str:
    """The name of a track's channel layout, or the usual one for as many channels where the file names none that fits."""
    try:
        if av.AudioLayout(track.layout).nb_channels == channels:
            return track.layout
    except ValueError:
        pass
    usual = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
    return usual.get(channels, f"{channels} channels")
