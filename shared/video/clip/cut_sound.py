"""The sound of a clip's part, cut at the exact sample and re-encoded."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from shared.errors import BrokenMedia
from shared.media_info import VideoInfo
from shared.video.reading.audio import AudioBlock, read_audio
from shared.video.threads.prefetch import Prefetcher
from shared.video.writing.channel_layout import kept_layout_of
from shared.video.writing.tracks import EMPTY_TRACK, AudioTrack
from shared.video.writing.writer import VideoWriter


class PartSound:
    """A writer of the sound for one part of a clip.

    All audio tracks of `video` are encoded again, in step with the pictures. `start`: seconds of the source at which the part begins.
    """

    def __init__(self, writer: VideoWriter, video: Path, info: VideoInfo, *, start: Fraction) -> None:
        self._cut = [_cut_warning(len(info.audio))] if info.audio else []
        self._tracks = [
            _Part(writer.add_audio(track.sample_rate, kept_layout_of(video, number, track), language=track.language), video, number, start)
            for number, track in enumerate(info.audio)
        ]

    @property
    def warnings(self) -> list[str]:
        """Return warnings about changes to the sound.

        They are complete after the last `write`.
        """
        return self._cut + [EMPTY_TRACK.format(number) for number, track in enumerate(self._tracks, 1) if track.broken]

    def write(self, *, until: Fraction) -> None:
        """Write the sound up to the output time `until`, in seconds."""
        for track in self._tracks:
            track.write(until)

    def continue_from(self, start: Fraction, *, at: Fraction) -> None:
        """Continue at output time `at` with the sound from source time `start`.

        Both are in seconds.
        """
        for track in self._tracks:
            track.continue_from(start, at)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for track in self._tracks:
            track.close()


def _cut_warning(tracks: int) -> str:
    """Return the warning that `tracks` audio tracks were encoded again, not copied."""
    if tracks == 1:
        return "The sound was re-encoded to cut it exactly: coded audio packets cannot be cut."
    return f"All {tracks} audio tracks were re-encoded to cut them exactly: coded audio packets cannot be cut."


class _Part:
    """A writer of one audio track of a clip's part; gaps become silence."""

    def __init__(self, target: AudioTrack, video: Path, number: int, start: Fraction) -> None:
        self._target, self._video, self._number, self._position = target, video, number, 0
        self.broken = False
        self._begin(start, at=Fraction(0))

    def _begin(self, start: Fraction, *, at: Fraction) -> None:
        self._start = start - at
        self._blocks: Prefetcher[AudioBlock] = read_audio(self._video, self._number, sample_rate=self._target.sample_rate, start=start)
        self._waiting: AudioBlock | None = None

    def continue_from(self, start: Fraction, at: Fraction) -> None:
        """Continue at output time `at` with the sound from source time `start`.

        Both are in seconds. Sound that was read and not yet written is dropped.
        """
        self.close()
        self._begin(start, at=at)

    def close(self) -> None:
        self._blocks.close()

    def write(self, until: Fraction) -> None:
        goal = round(until * self._target.sample_rate)
        while self._position < goal:
            block = self._waiting or self._next()
            self._waiting = None
            at = goal if block is None else round((block.start - self._start) * self._target.sample_rate)
            if block is None or at > self._position:
                quiet = min(at, goal) - self._position
                self._put(np.zeros((self._target.channels, quiet), np.float32))
                self._waiting = block
                continue
            room = goal - self._position
            self._put(self._fitted(block.samples[:, :room]))
            if block.samples.shape[1] > room:
                later = block.start + Fraction(room, block.sample_rate)
                self._waiting = AudioBlock(np.ascontiguousarray(block.samples[:, room:]), later, block.sample_rate)

    def _next(self) -> AudioBlock | None:
        try:
            return next(self._blocks, None)
        except BrokenMedia:
            self.broken = True
            return None  # a track that cannot be decoded is written as silence

    def _put(self, samples: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
        self._target.write(samples)
        self._position += samples.shape[1]

    def _fitted(self, samples: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """Drop channels of `samples`, or add silent channels, to match the output track.

        A file can change its channel count halfway.
        """
        missing = self._target.channels - samples.shape[0]
        return samples[: self._target.channels] if missing <= 0 else np.pad(samples, ((0, missing), (0, 0)))
