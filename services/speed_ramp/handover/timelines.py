"""A curve as files that editing programs read: OpenTimelineIO and Final Cut Pro XML, and as a table and JSON for everything else."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from fractions import Fraction

from services.speed_ramp.curve.clock import Clock, Point
from services.speed_ramp.curve.from_motion import to_points
from services.speed_ramp.curve.straight_pieces import frame_pieces, slow_name, time_map
from services.speed_ramp.params import SlowPart
from shared.editing.fcpxml import Clip, Project, exact
from shared.video import VideoInfo

_TIMESCALE = 720_000  # of FCPXML's times that need not fall on frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What is handed over: the part `start` to `end` (source seconds) of a clip along `points`, on a timeline of `rate` frames a second."""

    name: str
    media_url: str
    info: VideoInfo
    points: list[Point]
    start: float
    end: float
    rate: Fraction
    slow: list[SlowPart]

    @property
    def frames(self) -> int:
        """Frames on the timeline."""
        return max(round(float(Clock(self.points, start=self.start).left(self.end)) * self.rate), 1)


def as_csv(given: Handover) -> str:
    """One line for each control point: source second, speed, easing, freeze, and the output second at which it is reached."""
    clock, text = Clock(given.points, start=given.start), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source_s", "speed", "easing", "freeze_s", "output_s"])
    for point in given.points:
        writer.writerow([round(point.t, 6), round(point.speed, 9), point.easing, point.freeze, round(float(clock.out(point.t)), 6)])
    return text.getvalue()


def as_json(given: Handover) -> str:
    """The curve, as `render` takes it, and its time map in straight pieces, true to a millisecond."""
    pairs = time_map(given.points, start=given.start, end=given.end, tolerance_s=0.001)
    body = {
        "media_url": given.media_url,
        "frame_rate": f"{given.rate.numerator}/{given.rate.denominator}",
        "start": given.start,
        "duration": given.end - given.start,
        "curve": [point.model_dump() for point in to_points(given.points)],
        "time_map": [{"output_s": round(out, 6), "source_s": round(source, 6)} for out, source in pairs],
        "slow_parts": [part.model_dump() for part in given.slow],
    }
    return json.dumps(body, indent=1)


def as_otio(given: Handover) -> str:
    """A timeline of one track: the curve in clips of whole frames, each with a LinearTimeWarp or, where it stops, a FreezeFrame.

    OpenTimelineIO has no warp that bends. Each clip's source range begins where its piece does in the source and is as long as it is on the
    timeline, as the EDL and Final Cut 7 adapters have it. The exact curve is in the metadata of the track.
    """
    import opentimelineio as otio

    rate = float(given.rate)

    def at(seconds: float) -> "otio.opentime.RationalTime":
        return otio.opentime.RationalTime(seconds * rate, rate)

    track = otio.schema.Track(name="Video 1", kind=otio.schema.TrackKind.Video)
    track.metadata["reelwright"] = {"curve": [point.model_dump() for point in to_points(given.points)], "start": given.start}
    for number, (_, frames, source, speed) in enumerate(frame_pieces(given.points, start=given.start, end=given.end, rate=given.rate)):
        clip = otio.schema.Clip(
            name=f"{given.name} {number + 1}",
            media_reference=otio.schema.ExternalReference(
                target_url=given.media_url, available_range=otio.opentime.TimeRange(at(0), at(given.info.duration_s))
            ),
            source_range=otio.opentime.TimeRange(at(source), otio.opentime.RationalTime(frames, rate)),
        )
        still = speed < 1e-6
        clip.effects.append(otio.schema.FreezeFrame() if still else otio.schema.LinearTimeWarp(time_scalar=speed))
        track.append(clip)
    for part in given.slow:
        marked = otio.opentime.TimeRange(at(part.start_s), at(part.end_s - part.start_s))
        track.markers.append(otio.schema.Marker(name=slow_name(part), marked_range=marked, color=otio.schema.MarkerColor.CYAN))
    timeline = otio.schema.Timeline(name=given.name, tracks=[track])
    return str(otio.adapters.write_to_string(timeline, "otio_json"))


def as_fcpxml(given: Handover) -> str:
    """FCPXML 1.10: the clip with its `timeMap`, true to a quarter of a frame, and a marker at each slow part."""
    info, frame = given.info, 1 / given.rate
    clip = Clip(
        name=given.name,
        media_url=given.media_url,
        rate=given.rate,
        width=info.width,
        height=info.height,
        frames=max(round(info.duration_s * given.rate), 1),
        audio_channels=info.audio[0].channels if info.audio else 0,
    )
    project = Project.of(clip, name=f"{given.name}, ramped", frames=given.frames)
    piece = project.add(name=given.name, offset=0, start=0, frames=given.frames)
    times = ET.SubElement(piece, "timeMap", frameSampling="nearest-neighbor")
    for out, source in time_map(given.points, start=given.start, end=given.end, tolerance_s=float(frame) / 4):
        ET.SubElement(times, "timept", time=_near(out), value=_near(source), interp="linear")
    for part in given.slow:
        first, last = (round(second * given.rate) for second in (part.start_s, part.end_s))
        marked = {"start": exact(frame * first), "duration": exact(frame * max(last - first, 1))}
        ET.SubElement(piece, "marker", value=slow_name(part), **marked)
    return str(project)


def _near(seconds: float) -> str:
    return exact(Fraction(round(seconds * _TIMESCALE), _TIMESCALE))
