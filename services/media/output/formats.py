"""Table of output formats."""

from dataclasses import dataclass

from shared.video import VideoInfo
from shared.video.clip.clip_file import Format
from shared.video.conversion_warnings import depth_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFormat:
    """A file format, as a row of `FORMATS`.

    `opaque` is for opaque pictures of 8 bits, `deep` for those of more bits, and `transparent`, if any, for pictures with transparency.
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    file: Format
    opaque: str
    deep: str
    transparent: str | None = None

    def to_sdr8(self, info: VideoInfo, *, sdr: bool) -> bool:
        """Return whether frames must be read as 8-bit SDR."""
        return sdr and (info.color.hdr or depth_of(self.opaque) == 8)

    def pixels(self, info: VideoInfo, *, sdr: bool) -> str:
        """Return the pixel format for writing a clip."""
        if info.has_alpha and self.transparent is not None:
            return self.transparent
        deep = depth_of(info.pixel_format) > 8 and not self.to_sdr8(info, sdr=sdr)
        return self.deep if deep else self.opaque


FORMATS = {
    row.name: row
    for row in (
        OutputFormat(
            name="mp4",
            label="MP4",
            description="H.264, or HEVC for more than 8 bits, without transparency",
            file="h264",
            opaque="yuv420p",
            deep="yuv420p10le",
        ),
        OutputFormat(
            name="prores",
            label="ProRes",
            description="ProRes 422 HQ in a .mov file, 4444 where the clip has transparency",
            file="prores",
            opaque="yuv422p10le",
            deep="yuv422p10le",
            transparent="yuva444p10le",
        ),
        OutputFormat(
            name="vp9",
            label="WebM",
            description="VP9 in a .webm file, with transparency",
            file="vp9",
            opaque="yuv420p",
            deep="yuv420p10le",
            transparent="yuva420p",
        ),
    )
}
