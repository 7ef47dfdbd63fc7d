"""Requests to worker processes for one media file: probe, thumbnail, frame.

The server names the functions here and never imports `shared.video` with its libraries.
"""

from dataclasses import dataclass

from shared.media_info import MediaInfo
from shared.operation import Kind
from shared.worker_call import Target


@dataclass(frozen=True, kw_only=True)
class FileRequest:
    """A request that names one media file."""

    path: str


@dataclass(frozen=True, kw_only=True)
class ProbedFile:
    """The type and properties of a probed file.

    `media`: None for files without pictures.
    """

    kind: Kind
    content_type: str
    suffix: str
    media: MediaInfo | None


@dataclass(frozen=True, kw_only=True)
class ThumbnailRequest:
    """A request to write a JPEG thumbnail to `output`.

    The thumbnail is `width` pixels wide.
    """

    path: str
    output: str
    width: int = 320


@dataclass(frozen=True, kw_only=True)
class FrameRequest:
    """A request to write one frame of a video to `output`, as a PNG.

    Frames count from 0.
    """

    path: str
    output: str
    number: int


@dataclass(frozen=True, kw_only=True)
class PictureSize:
    """Width and height, in pixels, of a picture that was written."""

    width: int
    height: int


INSPECT = Target(name="shared.video:inspect", request=FileRequest, answer=ProbedFile, reads=("path",))
THUMBNAIL = Target(name="shared.video:thumbnail", request=ThumbnailRequest, answer=PictureSize, reads=("path",), writes=("output",))
FRAME = Target(name="shared.video:numbered_frame", request=FrameRequest, answer=PictureSize, reads=("path",), writes=("output",))
