"""The decoder of a video stream, set up for speed and for untrusted input."""

from typing import Any, Literal

import av

from shared.video.limits import Limits

# FFmpeg's own decoders of these drop the transparency that WebM keeps beside the picture; the reference library's keep it.
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def decoder_of(stream: Any, limits: Limits, *, thread_type: Literal["AUTO", "SLICE"] = "AUTO", rough: bool = False) -> Any:
    """The stream's codec context: on all cores, and refusing pictures that are too large before it makes room for them.

    `rough`: the edges of blocks are not smoothed, which is a sixth of the work and shows in no picture made small.
    """
    context = stream.codec_context
    better = _WITH_ALPHA.get(context.codec.canonical_name)
    if better is not None and stream.metadata.get("alpha_mode") == "1" and better in av.codecs_available:
        context = av.CodecContext.create(better, "r")
    context.thread_type = thread_type
    # The GPU decodes by itself; more threads would only hold more of its memory.
    context.thread_count = 1 if context.is_hwaccel else 0
    context.options = {"max_pixels": str(limits.max_pixels)} | ({"skip_loop_filter": "all"} if rough else {})
    return context
