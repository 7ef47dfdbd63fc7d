"""Set-up of video decoders for speed and for untrusted input."""

from typing import Any, Literal

import av

from shared.video.limits import Limits

# Codec -> decoder that keeps the transparency that WebM stores beside the picture. FFmpeg's own VP8 and VP9 decoders drop it.
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


THREADS = 0
"""Threads of a decoder; 0: one for each core."""


def open_decoder(
    stream: Any, limits: Limits, *, thread_type: Literal["AUTO", "SLICE"] = "AUTO", rough: bool = False, torn: bool = False
) -> Any:
    """Return the stream's codec context, set up with threads and a size limit.

    Pictures that are too large are refused before memory is allocated. `rough`: skip the deblocking filter, which saves a sixth of the work
    and makes no difference in pictures that are scaled down. `torn`: pieces of some pictures are missing; one thread then finds always the
    same pictures damaged, several find others in each run.
    """
    context = stream.codec_context
    better = _WITH_ALPHA.get(context.codec.canonical_name)
    if better is not None and stream.metadata.get("alpha_mode") == "1" and better in av.codecs_available:
        context = av.CodecContext.create(better, "r")
    context.thread_type = thread_type
    # The GPU decodes by itself; more threads would only use more GPU memory.
    context.thread_count = 1 if context.is_hwaccel or torn else THREADS
    context.options = {"max_pixels": str(limits.max_pixels)} | ({"skip_loop_filter": "all"} if rough else {})
    return context
