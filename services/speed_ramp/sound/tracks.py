"""The audio tracks of a clip on their way from the source along the curve to the writer."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.handover.warnings import layout_of
from services.speed_ramp.params import RenderParams
from services.speed_ramp.sound.freeze_silence import WithStops
from services.speed_ramp.sound.stretch import Source, Stretched
from services.speed_ramp.sound.varispeed import Varispeed
from shared.errors import BrokenMedia
from shared.operation import Progress
from shared.video import AudioTrack, VideoInfo, VideoWriter, read_audio


@dataclass(frozen=True, slots=True)
class Track:
    """One audio track on its way."""

    sound: WithStops
    target: AudioTrack
    sample_rate: int

    def write(self, *, until_s: float, limit_s: float | None) -> None:
        """Write up to output time `until_s`, but not past `limit_s`, the end of the clip."""
        until = until_s if limit_s is None else min(until_s, limit_s)
        for samples in self.sound.read(round(until * self.sample_rate)):
            self.target.write(samples)


def open_tracks(
    params: RenderParams, video: Path, info: VideoInfo, clock: Clock, writer: VideoWriter, progress: Progress, stack: ExitStack
) -> Iterator[Track]:
    """Every track of `video` that can be decoded, from `params.start` on, with a track of `writer` for it."""
    for number, track in enumerate(info.audio):
        rate = track.sample_rate
        blocks = stack.enter_context(read_audio(video, number, sample_rate=rate, start=params.start or None, duration=params.duration))
        try:
            first = next(blocks, None)
        except BrokenMedia as error:
            progress.warn(f"Audio track {number + 1} was left out: {error.detail}")
            continue
        if first is None:
            continue
        channels = first.samples.shape[0]
        source = Source(chain([first], blocks), channels=channels, sample_rate=rate, start=round(params.start * rate))
        way = Varispeed if params.audio == "follow" else Stretched
        sound = way(source, clock.moving(), channels=channels, sample_rate=rate)
        target = writer.add_audio(rate, layout_of(track, channels), language=track.language)
        yield Track(WithStops(sound, clock.stops(), channels=channels, sample_rate=rate), target, rate)
