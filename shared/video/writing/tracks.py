"""Audio tracks of an output file that are encoded from samples."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import av.audio
import av.container
import av.error
import numpy as np
from numpy.typing import NDArray

from shared.video.writing.sound_coding import channels_of, sound_coding

_RATES = {
    "aac": (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000),
    "libopus": (48000, 24000, 16000, 12000, 8000),
}

EMPTY_TRACK = "Audio track {} contains no sound that can be decoded: it was left out, or is silent in the output."

Mux = Callable[[Any], None]


class AudioTrack:
    """An audio track encoded from samples.

    `write` adds samples one after the other, from `start` seconds on.
    """

    def __init__(
        self,
        submit: Callable[[Callable[[], None]], None],
        *,
        sample_rate: int,
        layout: str,
        start: Fraction = Fraction(0),
        language: str | None = None,
    ):
        self._submit = submit
        self.sample_rate = sample_rate
        self.layout = layout
        self.channels = channels_of(layout)
        self.language = language
        self._start = start
        self._encoder: SampleEncoder | None = None

    def write(self, samples: NDArray[np.float32]) -> None:
        """Add samples, waiting while the encoder is behind.

        float32 of shape (channels, n), nominally -1 to 1.
        """
        if samples.ndim != 2 or samples.shape[0] != self.channels:
            raise ValueError(f"samples have the shape {samples.shape}; this track takes ({self.channels}, n)")
        block = np.array(samples, np.float32, order="C")
        self._submit(lambda: self.encode(block))

    def open(self, container: av.container.OutputContainer, mux: Mux) -> None:
        """Create the track's stream in the container.

        This method and those below run in the writer's thread.
        """
        self._encoder = SampleEncoder(container, mux, sample_rate=self.sample_rate, layout=self.layout, language=self.language)
        # Begin with silence: with a later first time, MP4 would not mark the encoder's priming, and players would play it.
        missing = round(self._start * self.sample_rate)
        while missing > 0:
            count = min(missing, self.sample_rate)
            self._encoder.push(np.zeros((self.channels, count), np.float32))
            missing -= count

    def encode(self, samples: NDArray[np.float32]) -> None:
        assert self._encoder is not None
        self._encoder.push(samples)

    def finish(self) -> None:
        if self._encoder is not None:
            self._encoder.finish()


class SampleEncoder:
    """An encoder of float samples with an audio codec that suits a container.

    Samples are resampled if the codec does not take their rate or layout.
    """

    def __init__(
        self,
        container: av.container.OutputContainer,
        mux: Mux,
        *,
        sample_rate: int,
        layout: str,
        language: str | None,
    ):
        coding = sound_coding(container.format.name, layout)
        self._mux = mux
        self._source_rate = sample_rate
        rates = _RATES.get(coding.codec)
        self.rate = sample_rate if rates is None or sample_rate in rates else 48000
        self.layout = coding.layout
        self._channels = coding.channels
        stream: Any = container.add_stream(coding.codec, rate=self.rate, layout=self.layout, options=dict(coding.options))
        if coding.bit_rate is not None:
            stream.codec_context.bit_rate = coding.bit_rate
        if coding.sample_format is not None:
            stream.codec_context.format = coding.sample_format
        self.stream: Any = stream
        self.stream.codec_context.time_base = Fraction(1, self.rate)
        if language:
            self.stream.metadata["language"] = language
        self._format = str(stream.codec_context.format.name)
        self._resampler: av.AudioResampler | None = None
        self._pts = 0
        self._source_pts = 0

    def push(self, samples: NDArray[np.float32]) -> None:
        """Encode samples, float32 (channels, n)."""
        if self._resampler is None:
            size = self.stream.codec_context.frame_size if self.stream.codec_context.is_open else 0
            if not size:
                self.stream.codec_context.open()
                size = self.stream.codec_context.frame_size
            self._resampler = av.AudioResampler(self._format, self.layout, self.rate, frame_size=size or 1024)
        # Interleaved samples: with eight planar channels PyAV 18 reads one plane too many.
        interleaved = np.ascontiguousarray(self._fitted(samples).T, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=self.layout)
        frame.sample_rate = self._source_rate
        frame.time_base = Fraction(1, self._source_rate)
        frame.pts = self._source_pts
        self._source_pts += samples.shape[1]
        self._encode(self._resampler.resample(frame))

    def finish(self) -> None:
        """Encode the remaining samples and flush the encoder."""
        if self._resampler is not None:
            self._encode(self._resampler.resample(None))
        self._mux(self.stream.encode(None))

    def _fitted(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mix samples down to the number of channels that the codec gets.

        Surplus channels are mixed alternately to the left and the right.
        """
        if samples.shape[0] <= self._channels:
            return samples
        return np.stack([samples[side :: self._channels].mean(axis=0) for side in range(self._channels)])

    def _encode(self, frames: list[Any]) -> None:
        for frame in frames:
            frame.pts, frame.time_base = self._pts, Fraction(1, self.rate)
            self._pts += frame.samples
            self._mux(self.stream.encode(frame))
