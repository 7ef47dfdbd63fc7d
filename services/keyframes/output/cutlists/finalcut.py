"""Shots as Final Cut Pro XML.

Each shot is a clip, each keyframe a marker. Times are exact fractions.
"""

import xml.etree.ElementTree as ET
from urllib.parse import quote

from services.keyframes.output.cutlists.frame_grid import FrameGrid
from shared.editing.fcpxml import Clip, Project, exact


def fcpxml(grid: FrameGrid) -> str:
    """Return a Final Cut project with the video cut into shots.

    Times count from the start timecode.
    """
    report, first = grid.report, grid.start.frame
    clip = Clip(
        name=report.name,
        media_url=quote(report.name),
        rate=grid.rate,
        width=report.width,
        height=report.height,
        frames=grid.frames,
        start=first,
        drop=grid.start.drop,
        audio_channels=report.audio_channels,
    )
    project = Project.of(clip, name=f"{report.name}, shots", frames=grid.frames, start=first)
    for event in grid.events:
        start = first + event.start
        piece = project.add(name=f"{report.name} {event.shot.index + 1}", offset=start, start=start, frames=event.end - event.start)
        for frame, keyframe in event.keyframes:
            span = {"start": exact((first + frame) / grid.rate), "duration": exact(1 / grid.rate)}
            ET.SubElement(piece, "marker", span | {"value": f"Keyframe {keyframe.file}"})
    return str(project)
