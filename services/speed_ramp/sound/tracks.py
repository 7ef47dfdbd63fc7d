"""Retiming and writing of a clip's audio tracks."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.sound.freeze_silence import FreezeSilence
from services.speed_ramp.sound.modes import MakeSound
from services.speed_ramp.sound.source import Source
from shared.errors import BrokenMedia
from shared.operation import Progress
from shared.video import AudioTrack, VideoInfo, VideoWriter, read_audio
from shared.video.writing.channel_layout import kept_layout_of


@dataclass(frozen=True, slots=True)
class Track:
    """A retimed sound, with the output track that it is written to."""

    sound: FreezeSilence
    target: AudioTrack
    sample_rate: int

    def write(self, *, until_s: float) -> None:
        """Write sound up to the output time `until_s`."""
        for samples in self.sound.read(round(until_s * self.sample_rate)):
            self.target.write(samples)


def open_tracks(
    make: MakeSound,
    video: Path,
    info: VideoInfo,
    clock: Clock,
    writer: VideoWriter,
    *,
    start: float,
    duration: float | None,
    progress: Progress,
    stack: ExitStack,
) -> Iterator[Track]:
    """Yield a `Track` for each audio track of a video, added to `writer`.

    `start`, `duration`: the part of the source, in seconds. Warns through `progress` about tracks that
    cannot be decoded, and leaves them out. `stack` closes the files.
    """
    for number, track in enumerate(info.audio):
        rate = track.sample_rate
        blocks = stack.enter_context(read_audio(video, number, sample_rate=rate, start=start or None, duration=duration))
        try:
            first = next(blocks, None)
        except BrokenMedia as error:
            progress.warn(f"Audio track {number + 1} was left out: {error.detail}")
            continue
        if first is None:
            continue
        channels = first.samples.shape[0]
        source = Source(chain([first], blocks), channels=channels, sample_rate=rate, start=round(start * rate))
        sound = make(source, clock.moving())
        target = writer.add_audio(rate, kept_layout_of(video, number, track, channels), language=track.language)
        yield Track(FreezeSilence(sound, clock.freezes(), channels=channels, sample_rate=rate), target, rate)
