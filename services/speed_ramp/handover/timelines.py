"""OpenTimelineIO and Final Cut Pro timelines of a ramped clip."""

import xml.etree.ElementTree as ET
from fractions import Fraction

from services.speed_ramp.curve.points import to_points
from services.speed_ramp.curve.slow_parts import slow_name
from services.speed_ramp.curve.straight_pieces import FramePiece, time_map, within_ranges
from services.speed_ramp.handover.ramped_clip import RampedClip
from shared.editing.fcpxml import Clip, Project, exact

_TIMESCALE = 720_000  # units per second of FCPXML times that need not lie on frames
_STILL = 1e-6  # speed below which a piece is a freeze


def as_otio(ramped: RampedClip) -> str:
    """Return an OpenTimelineIO timeline of the ramped clip.

    The timeline has a video track with clips of whole frames, and the same clips for each sound track. OpenTimelineIO has no curved
    retiming. Each clip has a LinearTimeWarp or, in a freeze, a FreezeFrame. Its source range starts at the piece's source time and is as
    long as the piece on the timeline, as in OpenTimelineIO's EDL and Final Cut 7 adapters; it ends inside the media, which cuts a slow end
    into pieces. Source times count from the media's start timecode. The exact curve is in the video track's metadata.
    """
    import opentimelineio as otio

    rate, media_rate, first = float(ramped.rate), float(ramped.media_rate), ramped.timecode.frame
    pieces = within_ranges(ramped.pieces, end=ramped.media_end, frame_s=float(1 / ramped.media_rate), rate=ramped.rate)
    media = otio.opentime.TimeRange(
        otio.opentime.RationalTime(first, media_rate), otio.opentime.RationalTime(ramped.media_frames, media_rate)
    )

    def at(seconds: float) -> "otio.opentime.RationalTime":
        return otio.opentime.RationalTime(seconds * rate, rate)

    def clip(number: int, piece: FramePiece) -> "otio.schema.Clip":
        clip = otio.schema.Clip(
            name=f"{ramped.name} {number}",
            media_reference=otio.schema.ExternalReference(target_url=ramped.media_url, available_range=media),
            source_range=otio.opentime.TimeRange(
                otio.opentime.RationalTime(first + piece.source * media_rate, media_rate), otio.opentime.RationalTime(piece.frames, rate)
            ),
        )
        still = piece.speed < _STILL
        clip.effects.append(otio.schema.FreezeFrame() if still else otio.schema.LinearTimeWarp(time_scalar=piece.speed))
        return clip

    track = otio.schema.Track(name="Video 1", kind=otio.schema.TrackKind.Video)
    track.metadata["reelwright"] = {"curve": [point.model_dump() for point in to_points(ramped.points)], "start": ramped.start}
    track.extend([clip(number, piece) for number, piece in enumerate(pieces, start=1)])
    for part in ramped.slow_parts:
        marked = otio.opentime.TimeRange(at(part.start_s), at(part.end_s - part.start_s))
        track.markers.append(otio.schema.Marker(name=slow_name(part), marked_range=marked, color=otio.schema.MarkerColor.CYAN))
    tracks = [track]
    for source_track in range(1, len(ramped.info.audio) + 1):
        sound = otio.schema.Track(name=f"Audio {source_track}", kind=otio.schema.TrackKind.Audio)
        sound.metadata["reelwright"] = {"source_track": source_track}
        sound.extend([clip(number, piece) for number, piece in enumerate(pieces, start=1)])
        tracks.append(sound)
    timeline = otio.schema.Timeline(name=ramped.name, tracks=tracks)
    return str(otio.adapters.write_to_string(timeline, "otio_json"))


def as_fcpxml(ramped: RampedClip) -> str:
    """Return FCPXML 1.10 with the clip's `timeMap` and markers.

    The map is accurate to a quarter of a frame; its values count from the media's start timecode, and end with
    the media. Each slow part has a marker. The clip carries the media's sound.
    """
    info, frame, timecode = ramped.info, 1 / ramped.rate, ramped.timecode
    first, last = timecode.frame / ramped.media_rate, (timecode.frame + ramped.media_frames) / ramped.media_rate
    clip = Clip(
        name=ramped.name,
        media_url=ramped.media_url,
        rate=ramped.rate,
        width=info.width,
        height=info.height,
        frames=ramped.media_frames,
        start=timecode.frame,
        drop=timecode.drop,
        media_rate=None if ramped.media_rate == ramped.rate else ramped.media_rate,
        audio_channels=info.audio[0].channels if info.audio else 0,
    )
    project = Project.of(clip, name=f"{ramped.name}, ramped", frames=ramped.frames)
    element = project.add(name=ramped.name, offset=0, start=0, frames=ramped.frames)
    if clip.media_rate is not None:
        ET.SubElement(element, "conform-rate", scaleEnabled="0")
    times = ET.SubElement(element, "timeMap", frameSampling="nearest-neighbor")
    for out, source in time_map(ramped.points, start=ramped.start, end=ramped.end, tolerance_s=float(frame) / 4):
        ET.SubElement(times, "timept", time=_time(out), value=_media_time(source, first, last), interp="linear")
    for part in ramped.slow_parts:
        begin, end = (round(second * ramped.rate) for second in (part.start_s, part.end_s))
        span = {"start": exact(frame * begin), "duration": exact(frame * max(end - begin, 1))}
        ET.SubElement(element, "marker", {"value": slow_name(part)} | span)
    return str(project)


def _time(seconds: float) -> str:
    """Format seconds as a rational FCPXML time."""
    return exact(Fraction(round(seconds * _TIMESCALE), _TIMESCALE))


def _media_time(seconds: float, first: Fraction, last: Fraction) -> str:
    """Format a source time as FCPXML time, counted from the timecode `first`.

    `last`: timecode of the media's end, the latest time.
    """
    return exact(min(first + Fraction(round(seconds * _TIMESCALE), _TIMESCALE), last))
