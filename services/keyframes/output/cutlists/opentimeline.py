"""Shots as an OpenTimelineIO timeline.

The timeline has one track, with a clip per shot and a marker per keyframe.
"""

from urllib.parse import quote

from services.keyframes.output.cutlists.frame_grid import Event, FrameGrid

_COLORS = {"start": "WHITE", "cut": "RED", "fade": "PURPLE", "dissolve": "BLUE"}


def otio_json(grid: FrameGrid) -> str:
    """Return the timeline as `.otio` JSON.

    Times are frames at the timeline's rate and count from the start timecode.
    """
    import opentimelineio as otio

    def span(start: int, frames: int) -> "otio.opentime.TimeRange":
        rate = float(grid.rate)
        first = otio.opentime.RationalTime(grid.start.frame + start, rate)
        return otio.opentime.TimeRange(first, otio.opentime.RationalTime(frames, rate))

    def clip_of(event: Event) -> "otio.schema.Clip":
        clip = otio.schema.Clip(
            name=f"{grid.report.name} {event.shot.index + 1}",
            media_reference=otio.schema.ExternalReference(target_url=quote(grid.report.name), available_range=span(0, grid.frames)),
            source_range=span(event.start, event.end - event.start),
        )
        clip.metadata["reelwright"] = event.shot.model_dump()
        transition = otio.schema.Marker(name=event.shot.kind, marked_range=span(event.start, 0), color=_COLORS[event.shot.kind])
        keyframes = [
            otio.schema.Marker(name=f"Keyframe {keyframe.file}", marked_range=span(frame, 0), color="GREEN")
            for frame, keyframe in event.keyframes
        ]
        clip.markers.extend([transition, *keyframes])
        return clip

    track = otio.schema.Track(name="Shots", kind=otio.schema.TrackKind.Video)
    track.extend([clip_of(event) for event in grid.events])
    timeline = otio.schema.Timeline(name=grid.report.name, tracks=[track])
    timeline.global_start_time = otio.opentime.RationalTime(grid.start.frame, float(grid.rate))
    timeline.metadata["reelwright"] = {"frame_rate": f"{grid.rate.numerator}/{grid.rate.denominator}", "start_timecode": str(grid.start)}
    return str(otio.adapters.write_to_string(timeline, "otio_json"))
