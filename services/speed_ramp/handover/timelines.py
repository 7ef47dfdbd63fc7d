"""Timelines of a ramped clip: OpenTimelineIO and Final Cut Pro XML."""

import xml.etree.ElementTree as ET
from fractions import Fraction

from services.speed_ramp.curve.points import to_points
from services.speed_ramp.curve.slow_parts import slow_name
from services.speed_ramp.curve.straight_pieces import frame_pieces, time_map
from services.speed_ramp.handover.ramped_clip import RampedClip
from shared.editing.fcpxml import Clip, Project, exact

_TIMESCALE = 720_000  # units per second of FCPXML times that need not lie on frames
_STILL = 1e-6  # speeds below this are a freeze


def as_otio(ramped: RampedClip) -> str:
    """Return an OpenTimelineIO timeline of the curve.

    It has one track with clips of whole frames. OpenTimelineIO has no curved retiming. Each clip has a LinearTimeWarp or, in a freeze, a
    FreezeFrame. Its source range starts at the piece's source time and is as long as the piece on the timeline, as in OpenTimelineIO's EDL
    and Final Cut 7 adapters. The exact curve is in the track's metadata.
    """
    import opentimelineio as otio

    rate = float(ramped.rate)

    def at(seconds: float) -> "otio.opentime.RationalTime":
        return otio.opentime.RationalTime(seconds * rate, rate)

    track = otio.schema.Track(name="Video 1", kind=otio.schema.TrackKind.Video)
    track.metadata["reelwright"] = {"curve": [point.model_dump() for point in to_points(ramped.points)], "start": ramped.start}
    for number, piece in enumerate(frame_pieces(ramped.points, start=ramped.start, end=ramped.end, rate=ramped.rate), start=1):
        clip = otio.schema.Clip(
            name=f"{ramped.name} {number}",
            media_reference=otio.schema.ExternalReference(
                target_url=ramped.media_url, available_range=otio.opentime.TimeRange(at(0), at(ramped.info.length_s))
            ),
            source_range=otio.opentime.TimeRange(at(piece.source), otio.opentime.RationalTime(piece.frames, rate)),
        )
        warp = otio.schema.FreezeFrame() if piece.speed < _STILL else otio.schema.LinearTimeWarp(time_scalar=piece.speed)
        clip.effects.append(warp)
        track.append(clip)
    for part in ramped.slow_parts:
        marked = otio.opentime.TimeRange(at(part.start_s), at(part.end_s - part.start_s))
        track.markers.append(otio.schema.Marker(name=slow_name(part), marked_range=marked, color=otio.schema.MarkerColor.CYAN))
    timeline = otio.schema.Timeline(name=ramped.name, tracks=[track])
    return str(otio.adapters.write_to_string(timeline, "otio_json"))


def as_fcpxml(ramped: RampedClip) -> str:
    """Return FCPXML 1.10: the clip with a `timeMap` and markers.

    The map is accurate to a quarter of a frame; each slow part has a marker.
    """
    info, frame = ramped.info, 1 / ramped.rate
    clip = Clip(
        name=ramped.name,
        media_url=ramped.media_url,
        rate=ramped.rate,
        width=info.width,
        height=info.height,
        frames=max(round(info.length_s * ramped.rate), 1),
        audio_channels=info.audio[0].channels if info.audio else 0,
    )
    project = Project.of(clip, name=f"{ramped.name}, ramped", frames=ramped.frames)
    element = project.add(name=ramped.name, offset=0, start=0, frames=ramped.frames)
    times = ET.SubElement(element, "timeMap", frameSampling="nearest-neighbor")
    for out, source in time_map(ramped.points, start=ramped.start, end=ramped.end, tolerance_s=float(frame) / 4):
        ET.SubElement(times, "timept", time=_time(out), value=_time(source), interp="linear")
    for part in ramped.slow_parts:
        first, last = (round(second * ramped.rate) for second in (part.start_s, part.end_s))
        span = {"start": exact(frame * first), "duration": exact(frame * max(last - first, 1))}
        ET.SubElement(element, "marker", {"value": slow_name(part)} | span)
    return str(project)


def _time(seconds: float) -> str:
    """Write a time as a fraction of a second."""
    return exact(Fraction(round(seconds * _TIMESCALE), _TIMESCALE))
