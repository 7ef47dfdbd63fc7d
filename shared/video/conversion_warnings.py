"""Warnings that an output changes a clip's depth, HDR, alpha, interlacing or pixel shape."""

import av

from shared.media_info import VideoInfo
from shared.video.frames.display import BLACK, has_alpha


def conversion_warnings(
    info: VideoInfo, *, to_sdr8: bool = False, written_as: str | None = "yuv420p", background: str = BLACK
) -> list[str]:
    """Return one sentence for each property of a clip that an output changes.

    Only changes by reading and writing are reported, not those that an operation makes on purpose (times, size, sound). `to_sdr8`,
    `background`: as given to `read_frames`. `written_as`: the pixel format given to `VideoWriter`; None if nothing is written.
    """
    return [*info.warnings, *_turned(info), *_colors(info, to_sdr8=to_sdr8, written_as=written_as, background=background)]


def _turned(info: VideoInfo) -> list[str]:
    sentences: list[str] = []
    if info.interlaced:
        sentences.append("The interlaced picture was deinterlaced.")
    if info.sample_aspect_ratio not in ("1/1", "0/1"):
        sentences.append(
            f"The pixels were made square (their aspect ratio was {info.sample_aspect_ratio}), which gives {info.width}x{info.height}."
        )
    if info.rotation or info.mirrored:
        turns = [f"rotated by {info.rotation} degrees"] * bool(info.rotation) + ["mirrored"] * info.mirrored
        sentences.append(f"The picture is stored {' and '.join(turns)}; it was made upright.")
    return sentences


def _colors(info: VideoInfo, *, to_sdr8: bool, written_as: str | None, background: str) -> list[str]:
    sentences: list[str] = []
    depth, alpha = depth_of(info.pixel_format), info.has_alpha
    target = min(depth, 8) if to_sdr8 else depth
    if written_as is not None:
        target, alpha = min(target, depth_of(written_as)), alpha and has_alpha(written_as)
    if to_sdr8 and info.color.hdr:
        name = "PQ" if info.color.transfer == "smpte2084" else "HLG"
        sentences.append(f"High dynamic range ({name}) was tone-mapped to BT.709 in 8 bits, which all players can show.")
    elif target < depth:
        sentences.append(f"The picture was reduced from {depth} to {target} bits per sample, which all players can show.")
        if info.color.hdr:
            sentences.append(f"The picture is still HDR: with {target} bits, soft gradients may show banding.")
    if info.has_alpha and not alpha:
        ground = "black" if background == BLACK else background
        sentences.append(f"The output has no transparency: transparent parts were filled with {ground}.")
    return sentences


def depth_of(pixel_format: str) -> int:
    """Return the bits per sample of a pixel format.

    A palette's colours have 8.
    """
    return 8 if pixel_format == "pal8" else max(part.bits for part in av.VideoFormat(pixel_format, 16, 16).components)
