"""Properties of a media file, as the `media` part of a media record."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import BrokenMedia


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColorInfo(_Record):
    """The colour tags of a picture, under FFmpeg's names; None for a missing tag.

    `range` is "tv" (limited) or "pc" (full).
    """

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    range: str | None = None

    @property
    def hdr(self) -> bool:
        """Whether the transfer curve is PQ or HLG (high dynamic range)."""
        return self.transfer in ("smpte2084", "arib-std-b67")


class AudioTrackInfo(_Record):
    """Properties of an audio track."""

    codec: str
    sample_rate: int
    channels: int
    layout: str
    duration_s: float | None
    language: str | None


class SubtitleTrackInfo(_Record):
    """Properties of a text subtitle track."""

    codec: str
    language: str | None
    title: str | None


class ChapterInfo(_Record):
    """A named part of a video file, with its start and end in seconds."""

    title: str
    start_s: float
    end_s: float


class OtherTrackInfo(_Record):
    """A track that operations leave out, with its kind and its codec, if known."""

    kind: Literal["video", "cover", "audio", "subtitle", "data", "attachment"]
    codec: str | None
    language: str | None


class VideoInfo(_Record):
    """Properties of a video file.

    `width` and `height` are as displayed: upright, with square pixels, as in frames from `read_frames`.
    """

    kind: Literal["video"] = "video"
    container: str
    duration_s: float | None = Field(description="Length of the picture in seconds; null where not even its packets say it.")
    start_s: float = Field(description="Where the file's own clock stands at time 0.")
    start_timecode: str | None = Field(
        None, description="Timecode of the first frame as the file says it, HH:MM:SS:FF, or HH:MM:SS;FF where it drops frames."
    )
    width: int
    height: int
    frame_rate: str = Field(description="Exact average frames a second, such as 30000/1001.")
    variable_frame_rate: bool
    constant_rate: str = Field(
        "", description="Rate of outputs of constant rate; where it varies, the standard rate nearest to the commonest short step."
    )
    frames: int = Field(description="Number of frames, counted by the container or its packets, or else estimated.")
    codec: str
    pixel_format: str
    rotation: Literal[0, 90, 180, 270] = Field(description="Degrees clockwise that the stored picture is turned by to be upright.")
    mirrored: bool = False
    interlaced: bool = False
    sample_aspect_ratio: str = Field("1/1", description="Shape of the stored pixels, width to height.")
    color: ColorInfo
    has_alpha: bool
    audio: tuple[AudioTrackInfo, ...]
    subtitles: tuple[SubtitleTrackInfo, ...] = Field((), description="Subtitle tracks that are text.")
    chapters: tuple[ChapterInfo, ...] = ()
    other_tracks: tuple[OtherTrackInfo, ...] = Field((), description="Tracks that operations leave out.")
    warnings: tuple[str, ...] = Field((), description="What is unusual about the file and how it is read, in sentences.")

    @property
    def length_s(self) -> float:
        """Length of the video track in seconds. Raises BrokenMedia if it is unknown."""
        if self.duration_s is None:
            raise BrokenMedia("The file does not say how long it is, and neither do its packets. Convert it to MP4 first.")
        return self.duration_s

    @property
    def steady_rate(self) -> Fraction:
        """`constant_rate` as a fraction, in fps."""
        return Fraction(self.constant_rate or self.frame_rate)

    @property
    def rate(self) -> Fraction:
        """`frame_rate` as a fraction, in fps."""
        return Fraction(self.frame_rate)


class ImageInfo(_Record):
    """Properties of a still image.

    `width` and `height` are as displayed.
    """

    kind: Literal["image"] = "image"
    container: str
    width: int
    height: int
    codec: str
    pixel_format: str
    rotation: Literal[0, 90, 180, 270] = 0
    has_alpha: bool


class PicturesInfo(_Record):
    """Properties of a zip file of still images."""

    kind: Literal["images"] = "images"
    pictures: int = Field(description="Number of pictures.")
    unpacked_bytes: int = Field(description="Size of all of them together.")
    other_files: tuple[str, ...] = Field((), description="Names of files in it that are not read as pictures, at most 20.")


MediaInfo = Annotated[VideoInfo | ImageInfo | PicturesInfo, Field(discriminator="kind")]
