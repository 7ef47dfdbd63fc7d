"""Properties of a media file, as the `media` part of a media record."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import BrokenMedia


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColorInfo(_Record):
    """The colour tags of a picture, under FFmpeg's names.

    None for a missing tag. `range` is "tv" (limited) or "pc" (full).
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
    """A track that no operation reads: its kind, codec and language."""

    kind: Literal["video", "cover", "audio", "subtitle", "captions", "data", "attachment"]
    codec: str | None
    language: str | None


class VideoInfo(_Record):
    """Properties of a video file.

    `width` and `height` are as displayed: upright, with square pixels, as in frames from `read_frames`.
    """

    kind: Literal["video"] = "video"
    container: str
    duration_s: float | None = Field(
        description="Length of the picture in seconds; null if neither the container nor the packets state it."
    )
    start_s: float = Field(description="Timestamp in the file that counts as time 0, in seconds.")
    start_timecode: str | None = Field(
        None, description="Timecode of the first frame, if the file has one: HH:MM:SS:FF, or HH:MM:SS;FF for drop-frame."
    )
    width: int
    height: int
    frame_rate: str = Field(description="Average frames per second as an exact fraction, such as 30000/1001.")
    variable_frame_rate: bool
    constant_rate: str = Field(
        "",
        description="Frame rate of outputs with a constant rate. If the rate varies: "
        "the standard rate closest to the most common short interval.",
    )
    frames: int = Field(description="Number of frames, as counted by the container or its packets, otherwise estimated.")
    codec: str
    pixel_format: str
    rotation: Literal[0, 90, 180, 270] = Field(description="Clockwise rotation in degrees that makes the stored picture upright.")
    mirrored: bool = False
    interlaced: bool = False
    sample_aspect_ratio: str = Field("1/1", description="Width of a stored pixel divided by its height.")
    color: ColorInfo
    has_alpha: bool
    audio: tuple[AudioTrackInfo, ...]
    subtitles: tuple[SubtitleTrackInfo, ...] = Field(
        (), description="Subtitle tracks with text; those with pictures are in `other_tracks`."
    )
    chapters: tuple[ChapterInfo, ...] = ()
    other_tracks: tuple[OtherTrackInfo, ...] = Field((), description="Tracks that no operation reads.")
    warnings: tuple[str, ...] = Field((), description="Sentences about unusual properties of the file and how they are handled.")

    @property
    def length_s(self) -> float:
        """Length of the video track in seconds. Raises BrokenMedia if it is unknown."""
        if self.duration_s is None:
            raise BrokenMedia("The length of the video is unknown: neither the file nor its packets state it. Convert it to MP4 first.")
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
    unpacked_bytes: int = Field(description="Size of all pictures together, in bytes.")
    other_files: tuple[str, ...] = Field((), description="Names of files in the zip file that are not readable pictures; at most 20.")


MediaInfo = Annotated[VideoInfo | ImageInfo | PicturesInfo, Field(discriminator="kind")]
