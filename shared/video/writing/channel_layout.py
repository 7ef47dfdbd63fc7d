"""Choice of the channel layout with which an encoder keeps all channels."""

import os
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from shared.errors import ReelwrightError
from shared.media_info import AudioTrackInfo
from shared.video.reading.audio import read_audio
from shared.video.writing.sound_coding import layout_of

_HEARD_S = 20
"""Seconds of sound that are analysed."""
_HIGH_HZ, _LOUD, _SHARE = 250, 0.003, 0.01
"""Minimum frequency, level and energy share of full-range sound in a low-frequency channel.

In some second, sounds above _HIGH_HZ reach an RMS of _LOUD (full scale is 1) and a share of _SHARE of the energy.
"""
_LOSSLESS = ("pcm", "flac", "alac", "truehd", "mlp")


def kept_layout(path: str | os.PathLike[str], number: int, codec: str, name: str, channels: int) -> str:
    """Return the channel layout with which to encode an audio track.

    Usually the track's own layout. If the low-frequency channel of a lossless track holds other sounds, too, the layout is "n channels":
    recorders write separate microphones so, and AAC and Opus would cut all but the low sounds. `number`: of the track, from 0; `codec`,
    `name` and `channels` as probed.
    """
    layout = layout_of(name, channels)
    low = next((place for place, channel in enumerate(av.AudioLayout(layout).channels) if channel.name == "LFE"), None)
    if low is None or not codec.startswith(_LOSSLESS):
        return layout
    status = os.stat(path)
    full = _holds_high_sounds(os.path.abspath(path), status.st_size, status.st_mtime_ns, number, low)
    return f"{channels} channels" if full else layout


def kept_layout_of(path: Path, number: int, track: AudioTrackInfo, channels: int | None = None) -> str:
    """Return the layout that `kept_layout` chooses for a probed track.

    `channels`: the decoded channels, if their number differs.
    """
    return kept_layout(path, number, track.codec, track.layout, track.channels if channels is None else channels)


@lru_cache(maxsize=64)
def _holds_high_sounds(path: str, _size: int, _changed: int, number: int, channel: int) -> bool:
    """Return whether a channel has significant sound above _HIGH_HZ in its first _HEARD_S seconds."""
    try:
        with read_audio(path, number, duration=_HEARD_S) as blocks:
            waiting: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = []
            for block in blocks:
                if block.samples.shape[0] <= channel:
                    return False
                waiting.append(block.samples[channel])
                if sum(map(len, waiting)) >= block.sample_rate:
                    if _is_high(np.concatenate(waiting), block.sample_rate):
                        return True
                    waiting = []
            return bool(waiting) and _is_high(np.concatenate(waiting), block.sample_rate)
    except ReelwrightError:
        return False


def _is_high(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], sample_rate: int) -> bool:
    """Return whether `samples`, about a second, have significant sound above _HIGH_HZ."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    high = float(power[round(_HIGH_HZ * len(samples) / sample_rate) :].sum())
    # By Parseval's theorem; a Hann window multiplies the RMS by sqrt(3/8).
    rms = np.sqrt(2 * high / len(samples) ** 2 / 0.375)
    return bool(rms >= _LOUD and high >= _SHARE * float(power.sum()))
