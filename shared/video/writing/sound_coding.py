"""Audio encoders, and the layout and bit rate that each uses.

A container holds the track's channels one to one where possible.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import av
import av.error

BITS_PER_CHANNEL = 96_000
_UNNAMED = re.compile(r"(\d+) channels?.*")
# Layout -> another name under which encoders know the same channels in the same order.
_SAME_AS = {"5.1(side)": "5.1", "5.0(side)": "5.0", "quad(side)": "quad", "downmix": "stereo", "1 channels": "mono", "2 channels": "stereo"}
# Codec -> the layouts that its streams can name; every player plays these. AAC lists the channels of other layouts; few players read that.
_NAMED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "aac": frozenset({"mono", "stereo", "3.0", "4.0", "quad", "5.0", "5.1", "7.1"}),
        "libopus": frozenset({"mono", "stereo", "3.0", "quad", "5.1", "7.1"}),
    }
)
_PREFERRED = {"mp4": "aac", "mov": "aac", "matroska": "aac", "webm": "libopus"}
# Codec -> options of its encoder. At BITS_PER_CHANNEL, AAC's fast coder leaves less audible noise than the default one, in a quarter of
# the time; see docs/decisions/sound.md.
_OPTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType({"aac": {"aac_coder": "fast"}})
_MOST_FLAC, _MOST_OPUS = 8, 255
_FLAC_NAMES = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""Layouts by number of channels in FLAC streams (RFC 9639, 9.1.3). Matroska states others; FFmpeg's writer of MP4 does not."""


@dataclass(frozen=True, slots=True)
class SoundCoding:
    """An audio encoder with its channel layout and options.

    `remark`: an unusual property, as the end of a sentence; may be empty.
    """

    codec: str
    layout: str
    sample_format: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""

    @property
    def channels(self) -> int:
        return channels_of(self.layout)

    @property
    def bit_rate(self) -> int | None:
        """Bits per second; None for lossless encoders."""
        return BITS_PER_CHANNEL * self.channels if self.codec in ("aac", "libopus") else None


def channels_of(layout: str) -> int:
    """Return the number of channels of a layout, such as "stereo" or "4 channels"."""
    return int(av.AudioLayout(layout).nb_channels)


def layout_of(name: str, channels: int) -> str:
    """Return the channel layout `name` if it has `channels` channels, else a default layout.

    One channel without a fitting name is "mono", two are "stereo", and more are "n channels", whose positions are unknown.
    """
    try:
        if channels_of(name) == channels:
            return name
    except ValueError:
        pass
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")


def sound_coding(container: str, layout: str) -> SoundCoding:
    """Return the audio encoding for a channel layout in a container.

    `container`: FFmpeg's name. Channels are kept one to one, or else mixed to stereo.
    """
    layout = _SAME_AS.get(layout, layout)
    preferred, channels = _PREFERRED[container], channels_of(layout)
    if layout in _NAMED[preferred] and encoder_takes(preferred, layout):
        return SoundCoding(preferred, layout, options=_OPTIONS.get(preferred, {}))
    named = not _UNNAMED.fullmatch(layout)
    reason = f"has {channels} channels" + (f" ({layout})" if named else "")
    if preferred == "aac" and channels <= _MOST_FLAC and _flac_names(container, layout, channels, named=named):
        note = "" if named else f" and which players take for {_FLAC_NAMES[channels]}"
        return SoundCoding("flac", layout, "s32", remark=f"{reason}: all are kept, in FLAC, which fewer players support than AAC{note}")
    if preferred == "aac" and (named or container != "mp4"):
        # Matroska states no positions for PCM.
        lost = ", without their speaker positions" if named and container == "matroska" else ""
        return SoundCoding("pcm_s24le", layout, remark=f"{reason}: all are kept, as PCM, which fewer players support than AAC{lost}")
    if channels <= _MOST_OPUS:
        options = {"mapping_family": "255"}
        return SoundCoding(
            "libopus", f"{channels} channels", options=options, remark=f"{reason}: all are kept, in Opus, without their speaker positions"
        )
    return SoundCoding(
        preferred,
        "stereo",
        options=_OPTIONS.get(preferred, {}),
        remark=f"{reason}: they were mixed down to stereo, because no supported codec holds so many",
    )


def _flac_names(container: str, layout: str, channels: int, *, named: bool) -> bool:
    """Return whether FLAC suits a channel layout in a container better than other codecs.

    MP4 has no better codec for channels without names.
    """
    if container == "mp4":
        return not named or layout == _FLAC_NAMES[channels]
    return container == "matroska" and named


def flac_loses_name(container: str, layout: str, channels: int) -> bool:
    """Return whether a copied FLAC track would have another channel layout in a container."""
    equal_layout = _SAME_AS.get(layout, layout)
    return container == "mp4" and not _UNNAMED.fullmatch(layout) and equal_layout != _FLAC_NAMES.get(channels)


@cache
def encoder_takes(codec: str, layout: str) -> bool:
    """Return whether an encoder accepts a channel layout unchanged."""
    try:
        context: Any = av.CodecContext.create(codec, "w")
        context.sample_rate = 48000
        context.layout = layout
        context.format = "fltp" if codec == "aac" else "flt"
        context.open()
    except (av.error.FFmpegError, ValueError):
        return False
    return True
