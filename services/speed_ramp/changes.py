"""What rendering changes about a clip besides its timing, in sentences for the job's warnings."""

from collections.abc import Iterator
from fractions import Fraction

import av

from shared.video import AudioTrackInfo, VideoInfo

_LONGER_S = 0.25


def changes(info: VideoInfo, rate: Fraction) -> Iterator[str]:
    """One sentence for each thing that the output, at `rate` frames a second, does not keep."""
    depth = max(part.bits for part in av.VideoFormat(info.pixel_format, 16, 16).components)
    if info.variable_frame_rate:
        yield f"The frame rate varied (on average {float(info.rate):.4g}); the output has a constant {rate} frames a second."
    elif rate != info.rate:
        yield f"The frame rate was brought from {info.frame_rate} to {rate} frames a second."
    if info.color.hdr:
        yield f"High dynamic range ({info.color.transfer}) was tone-mapped to BT.709 in 8 bits, which every player shows."
    elif depth > 8:
        yield f"The picture was brought from {depth} to 8 bits a sample, which every player shows."
    if info.has_alpha:
        yield "The transparency was left out: MP4 has none."
    if info.interlaced:
        yield "The interlaced picture was deinterlaced."
    if info.sample_aspect_ratio not in ("1/1", "1", "1:1"):
        yield f"The pixels were made square (they were {info.sample_aspect_ratio} wide)."
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
