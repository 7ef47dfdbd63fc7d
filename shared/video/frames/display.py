"""Conversion of stored pictures to displayed pictures.

Displayed pictures are deinterlaced, upright, with square pixels, planar YUV, and of one size throughout.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import av
import av.error
import numpy as np
from av.codec.codec import find_best_pix_fmt_of_list
from av.filter import Graph
from av.filter.context import FilterContext
from av.sidedata.sidedata import SideDataContainer

from shared.errors import BrokenMedia
from shared.media_info import ColorInfo
from shared.video.frames.color import BT709, MATRICES, apply_tags, matrix_or_guess, number, range_number, tags_of
from shared.video.frames.tonemap import table_file
from shared.video.limits import Limits

_PLANAR = re.compile(r"(nv12|gray|gray1[0246]le|yuvj?4(20|22|44|40|11|10)p|yuva?4(20|22|44)p(9|10|12|14|16)le|yuva4(20|22|44)p)")
_YUV = [
    f"yuv{alpha}{chroma}p{bits}" for alpha in ("", "a") for chroma in ("420", "422", "444") for bits in ("", "10le", "12le", "16le")
    if not (alpha and bits == "12le" and chroma == "420")
]  # fmt: skip
_RGB_TARGETS = [name for name in _YUV if "444" in name]
# Codecs whose software decoders state that chroma lies left. A GPU states nothing: without the tag, RGB differs by up to 6 levels.
_SITED_LEFT = ("h264", "hevc")
BLACK = "#000000"
# Largest ratio of a pixel's sides. A larger ratio comes from a damaged header.
_MAX_PIXEL_RATIO = 8


@dataclass(frozen=True, slots=True)
class Orientation:
    """The rotation and mirroring that make a stored picture upright.

    `rotation` degrees clockwise, after mirroring left and right if `mirrored`.
    """

    rotation: Literal[0, 90, 180, 270] = 0
    mirrored: bool = False

    @property
    def sideways(self) -> bool:
        return self.rotation in (90, 270)

    @property
    def filters(self) -> tuple[str, ...]:
        """Return FFmpeg filters that apply this orientation.

        Empty if the picture is upright already.
        """
        turns = {0: (), 90: ("transpose=clock",), 180: ("hflip", "vflip"), 270: ("transpose=cclock",)}
        mirrored = {0: ("hflip",), 90: ("transpose=clock_flip",), 180: ("vflip",), 270: ("transpose=cclock_flip",)}
        return (mirrored if self.mirrored else turns)[self.rotation]


def orientation_of(picture: av.VideoFrame) -> Orientation:
    """Read the orientation from a frame's display matrix.

    It is rounded to the nearest quarter turn. The matrix maps stored to displayed: x' = a x + c y, y' = b x + d y (ISO/IEC 14496-12,
    6.2.2).
    """
    # Not `picture.side_data`: it refers back to the picture, a reference cycle that keeps the decoder's memory until a garbage collection.
    side_data: Any = SideDataContainer
    data = side_data(picture).get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].astype(float)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        if (a < 0) == (d < 0):
            return Orientation(180 if a < 0 else 0)
        return Orientation(0 if a < 0 else 180, mirrored=True)
    if (b < 0) != (c < 0):
        return Orientation(90 if b > 0 else 270)
    return Orientation(270 if b > 0 else 90, mirrored=True)


def displayed_size(width: int, height: int, pixel_ratio: Fraction | None, orientation: Orientation) -> tuple[int, int]:
    """Return the displayed (width, height) of a stored picture."""
    if pixel_ratio and pixel_ratio != 1 and Fraction(1, _MAX_PIXEL_RATIO) <= pixel_ratio <= _MAX_PIXEL_RATIO:
        wide = width * pixel_ratio
        width = 2 * max(round(wide / 2), 1) if width % 2 == 0 else max(round(wide), 1)
    return (height, width) if orientation.sideways else (width, height)


def planar_format(name: str) -> str:
    """Return the planar YUV format nearest to the pixel format `name`.

    Planar YUV formats, nv12 and gray formats are returned unchanged.
    """
    if _PLANAR.fullmatch(name):
        return name
    source = av.VideoFormat(name, 16, 16)
    alpha = has_alpha(name)
    candidates = _RGB_TARGETS if source.is_rgb or source.has_palette else _YUV
    best, _ = find_best_pix_fmt_of_list([item for item in candidates if ("yuva" in item) == alpha], name, alpha)
    return best.name if best is not None else ("yuva444p" if alpha else "yuv444p")


def has_alpha(pixel_format: str) -> bool:
    """Return whether a pixel format has an alpha channel."""
    return pixel_format == "pal8" or any(part.is_alpha for part in av.VideoFormat(pixel_format, 16, 16).components)


class DisplayFilter:
    """A converter of decoded frames to upright, deinterlaced frames of one size.

    Frames that need no change are passed on unchanged. `opaque`: put transparent parts on `background`, "#rrggbb". `from_gpu`: codec of the
    stream if a GPU decodes it. `stored_size`, `pixel_ratio`, `orientation`: those of the file's first picture where they change in the
    file, since it decides on the size of all.
    """

    def __init__(
        self,
        *,
        time_base: Fraction,
        limits: Limits,
        to_sdr8: bool,
        from_gpu: str = "",
        opaque: bool = False,
        background: str = BLACK,
        fields: bool = False,
        stored_size: tuple[int, int] | None = None,
        pixel_ratio: Fraction | None = None,
        orientation: Orientation | None = None,
    ):
        self._first = stored_size, pixel_ratio, orientation
        self._opaque, self._background = opaque, background
        self._field_mode = "send_field" if fields else "send_frame"
        self._time_base = time_base
        self._limits = limits
        self._to_sdr8 = to_sdr8
        self._from_gpu = from_gpu
        self._target: tuple[int, int, str] | None = None
        self._key: tuple[object, ...] | None = None
        self._graph: Graph | None = None
        self.started = False
        """Whether a frame has come."""
        self._deinterlacing = False
        # Colour tags of the converted pictures; None: as the filters set them.
        self._tags: ColorInfo | None = None

    @property
    def deinterlacing(self) -> bool:
        """Whether frames are deinterlaced, and so depend on their neighbours.

        True from the first interlaced frame on.
        """
        return self._deinterlacing

    def jumped(self) -> None:
        """Reset the deinterlacing filter after a seek."""
        if self._deinterlacing:
            self._graph = self._key = None

    def push(
        self, picture: av.VideoFrame, pixel_ratio: Fraction | None = None, orientation: Orientation | None = None
    ) -> Iterator[av.VideoFrame]:
        """Convert a decoded frame; yield the converted frames that are ready.

        Each has its own `pts` and `time_base`. `pixel_ratio`: width of the frame's pixels relative to their height. `orientation`: None for
        that of the frame's display matrix.
        """
        orientation = orientation or orientation_of(picture)
        self.started = True
        self._deinterlacing = self._deinterlacing or picture.interlaced_frame
        key = (
            picture.width,
            picture.height,
            picture.format.name,
            picture.colorspace,
            picture.color_range,
            orientation,
            self._deinterlacing,
            pixel_ratio,
        )
        if key != self._key:
            yield from self.flush()
            filters = self._filters(picture, pixel_ratio, orientation)
            self._graph = _graph(filters, picture, self._time_base) if filters else None
            self._key = key
        if self._graph is None:
            yield picture
            return
        picture.time_base = self._time_base
        self._graph.vpush(picture)
        yield from self._pull(self._graph)

    def flush(self) -> Iterator[av.VideoFrame]:
        """Yield the frames that remain in the filters."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._pull(self._graph)
            self._graph = None
            self._key = None

    def _pull(self, graph: Graph) -> Iterator[av.VideoFrame]:
        while True:
            try:
                picture = graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if self._tags is not None:
                apply_tags(picture, self._tags)
            yield picture

    def _filters(self, picture: av.VideoFrame, pixel_ratio: Fraction | None, orientation: Orientation) -> list[str]:
        """Return the FFmpeg filters that convert a frame for display.

        The first frame decides on size and format for all.
        """
        self._limits.check_size(picture.width, picture.height)
        size = displayed_size(picture.width, picture.height, pixel_ratio, orientation)
        color = tags_of(picture, pixel_format=picture.format.name)
        if self._target is None:
            stored_size, first_ratio, first_orientation = self._first
            size_of_all = size if stored_size is None else displayed_size(*stored_size, first_ratio, first_orientation or orientation)
            self._limits.check_size(*size_of_all)
            # A GPU gives 8-bit pictures as nv12, software as yuv420p: both have the same samples.
            name = "yuv420p" if self._from_gpu and picture.format.name == "nv12" else planar_format(picture.format.name)
            name = name.replace("yuva", "yuv") if self._opaque else name
            self._target = (*size_of_all, eight_bit(name) if self._to_sdr8 else name)
        width, height, pixel_format = self._target
        fitted = _fitted(size, (width, height))
        stored = fitted[::-1] if orientation.sideways else fitted
        filters: list[str] = []
        if self._from_gpu in _SITED_LEFT and picture.format.name == "nv12":
            filters.append("setparams=chroma_location=left")
        if self._deinterlacing:
            filters.append(f"bwdif=mode={self._field_mode}:parity=auto:deint=interlaced")
        if self._opaque and has_alpha(picture.format.name):
            filters += _on_color(picture.format.name, self._background)
        self._tags = None if picture.format.is_rgb or picture.format.has_palette else color
        if self._to_sdr8 and color.hdr:
            self._tags = BT709
            filters += [f"{_scale(stored)}:in_color_matrix={_sws_name(color)}", "format=gbrp12le", f"lut3d={color.transfer}"]
            filters += [f"{_scale(stored)}:out_color_matrix=bt709:out_range=tv", f"format={pixel_format}"]
        elif (picture.width, picture.height) != stored or picture.format.name != pixel_format:
            tagged = self._tags is not None
            if tagged and any(name.startswith(_OVER) for name in filters):
                # The picture is RGB by now, and the tags of its former matrix and range are lost.
                matrix = matrix_or_guess(color, picture.width, picture.height)
                into = f":out_color_matrix={matrix}:out_range={color.range or 'tv'}"
            else:
                into = "" if tagged else ":out_color_matrix=bt709:out_range=tv"
            filters += [_scale(stored) + into, f"format={pixel_format}"]
        filters += orientation.filters
        if fitted != (width, height):
            filters.append(f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:color=black")
        if filters and pixel_ratio not in (None, 1):
            filters.append("setsar=1")
        return filters


def _fitted(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size within `target` that has the aspect ratio of `size`.

    Returns `target` itself if the aspect ratios are nearly equal.
    """
    scale = min(Fraction(target[0], size[0]), Fraction(target[1], size[1]))
    width, height = (min(max(2 * round(side * scale / 2), 2), limit) for side, limit in zip(size, target, strict=True))
    return target if abs(width - target[0]) <= 2 and abs(height - target[1]) <= 2 else (width, height)


_OVER = "over="
"""Prefix of a filter that puts RGB with alpha over a colour. This module provides it: `over=#rrggbb` for 8 bits, `over=#rrggbb:12` for 12:
FFmpeg's `maskedmerge` overflows with 16."""


def _on_color(pixel_format: str, color: str) -> list[str]:
    """Return FFmpeg filters that put transparent pixels over a colour.

    The colour is given as "#rrggbb".
    """
    layout = av.VideoFormat(pixel_format, 16, 16)
    deep = pixel_format != "pal8" and max(part.bits for part in layout.components) > 8
    if color != BLACK:
        return [f"format={'gbrap12le' if deep else 'gbrap'}", f"{_OVER}{color}{':12' if deep else ''}"]
    if layout.is_rgb or layout.has_palette:
        planar, opaque = ("gbrap16le", "gbrp16le") if deep else ("gbrap", "gbrp")
    else:
        planar, opaque = ("yuva444p16le", "yuv444p16le") if deep else ("yuva444p", "yuv444p")
    return [f"format={planar}", "premultiply=inplace=1", f"format={opaque}"]


def eight_bit(name: str) -> str:
    """Return the 8-bit pixel format with the chroma and alpha of the format `name`."""
    return re.sub(r"(9|1[0246])le$", "", name)


def _scale(size: tuple[int, int]) -> str:
    return f"scale={size[0]}:{size[1]}:flags=bicubic+accurate_rnd+full_chroma_int"


def _sws_name(color: ColorInfo) -> str:
    return color.matrix if color.matrix in ("bt709", "smpte170m") else "bt2020"


def _over(graph: Graph, source: FilterContext, color: str, bits: str = "8") -> FilterContext:
    """Add filters that put the output of `source`, with alpha, over a colour.

    Returns the last filter. `color`: "#rrggbb".
    """
    red, green, blue = (int(color[place : place + 2], 16) * (4095 if bits == "12" else 255) // 255 for place in (1, 3, 5))
    opaque = "gbrp12le" if bits == "12" else "gbrp"
    copies = graph.add("split", "3")
    source.link_to(copies)
    merged = graph.add("maskedmerge")
    chains = (
        (("format", opaque), ("lutrgb", f"r={red}:g={green}:b={blue}")),
        (("format", opaque),),
        (("alphaextract", None), ("setrange", "pc"), ("format", opaque)),
    )
    for branch, chain in enumerate(chains):
        last = copies
        for place, (name, arguments) in enumerate(chain):
            following = graph.add(name, arguments)
            last.link_to(following, output_idx=0 if place else branch)
            last = following
        last.link_to(merged, input_idx=branch)
    return merged


def _graph(filters: list[str], picture: av.VideoFrame, time_base: Fraction) -> Graph:
    graph = Graph()
    color = tags_of(picture, pixel_format=picture.format.name)
    rgb = picture.format.is_rgb or picture.format.has_palette
    # An untagged picture stays untagged: players guess its colours from its size.
    matrix, span = ("gbr", "pc") if rgb else (color.matrix, color.range)
    last = graph.add(
        "buffer",
        f"video_size={picture.width}x{picture.height}:pix_fmt={picture.format.name}:time_base={time_base}:pixel_aspect=1/1"
        f":colorspace={number(MATRICES, matrix)}:range={range_number(span)}",
    )
    for part in filters:
        name, _, arguments = part.partition("=")
        if part.startswith(_OVER):
            last = _over(graph, last, *arguments.split(":"))
            continue
        if name == "lut3d":
            with table_file(arguments) as path:
                following = graph.add(name, file=path, interp="tetrahedral")
        else:
            following = graph.add(name, arguments or None)
        last.link_to(following)
        last = following
    last.link_to(graph.add("buffersink"))
    try:
        graph.configure()
    except av.error.FFmpegError as error:
        detail = f"Pictures of {picture.width}x{picture.height} {picture.format.name} cannot be converted ({error})."
        raise BrokenMedia(detail) from error
    return graph
