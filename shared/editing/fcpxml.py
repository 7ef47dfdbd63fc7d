"""Final Cut Pro XML (FCPXML 1.10) of pieces of one clip.

Times are exact fractions of a second, as Apple's reference asks: "1001/30000s".
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from fractions import Fraction

from shared.media.characters import is_readable


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """The source clip of a project.

    `rate`: frames per second of the timeline, and of the clip unless it has a `media_rate` of its own. `start`: timecode of its first
    frame, in frames since midnight. `frames`: its length. Both count at the clip's rate.
    """

    name: str
    media_url: str
    rate: Fraction
    width: int
    height: int
    frames: int
    start: int = 0
    drop: bool = False
    audio_channels: int = 0
    media_rate: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """An FCPXML document under construction.

    `spine`: the element to which the timeline's pieces are added.
    """

    clip: Clip
    root: ET.Element
    spine: ET.Element

    @classmethod
    def of(cls, clip: Clip, *, name: str, frames: int, start: int = 0) -> "Project":
        """Create a project with an empty timeline for `clip`.

        It has `frames` frames and begins at timecode frame `start`.
        """
        root = ET.Element("fcpxml", version="1.10")
        resources = ET.SubElement(root, "resources")
        size = {"width": str(clip.width), "height": str(clip.height)}
        ET.SubElement(resources, "format", {"id": "r1", "frameDuration": exact(1 / clip.rate)} | size)
        sound = {"hasAudio": "1", "audioSources": "1", "audioChannels": str(clip.audio_channels)} if clip.audio_channels else {}
        own, form = clip.media_rate or clip.rate, "r3" if clip.media_rate else "r1"
        if clip.media_rate:
            ET.SubElement(resources, "format", {"id": form, "frameDuration": exact(1 / own)} | size)
        span = {"start": exact(clip.start / own), "duration": exact(clip.frames / own)}
        asset = ET.SubElement(resources, "asset", {"id": "r2", "name": plain(clip.name)} | span | {"hasVideo": "1", "format": form} | sound)
        ET.SubElement(asset, "media-rep", kind="original-media", src=clip.media_url)
        event = ET.SubElement(ET.SubElement(root, "library"), "event", name="Reelwright")
        project = ET.SubElement(event, "project", name=plain(name))
        span = {"duration": exact(frames / clip.rate), "tcStart": exact(start / clip.rate)}
        counting = "NDF" if clip.media_rate else _counting(clip)
        sequence = ET.SubElement(project, "sequence", {"format": "r1"} | span | {"tcFormat": counting})
        return cls(clip, root, ET.SubElement(sequence, "spine"))

    def add(self, *, name: str, offset: int, start: int, frames: int) -> ET.Element:
        """Add a piece of the clip to the timeline.

        It has `frames` frames from timecode frame `start` of the clip, and begins at frame `offset` of the timeline.
        """
        rate = self.clip.rate
        times = {"offset": exact(offset / rate), "start": exact(start / rate), "duration": exact(frames / rate)}
        return ET.SubElement(self.spine, "asset-clip", {"ref": "r2", "name": plain(name)} | times | {"tcFormat": _counting(self.clip)})

    def __str__(self) -> str:
        ET.indent(self.root)
        return '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n' + ET.tostring(self.root, encoding="unicode") + "\n"


def exact(seconds: Fraction) -> str:
    """Format seconds as an exact FCPXML time, such as "1001/30000s"."""
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"


def plain(text: str) -> str:
    """Replace unreadable characters, such as line breaks, by spaces, and strip the ends."""
    return "".join(character if is_readable(character) else " " for character in text).strip()


def _counting(clip: Clip) -> str:
    return "DF" if clip.drop else "NDF"
