"""Preparation of the process that is copied for each file to examine.

It imports all modules that are needed, and decodes a tiny clip, so that FFmpeg builds its tables. Otherwise each copy would do both anew.
"""

import io

import av
import av.subtitles.stream
import numpy as np
from PIL import Image

import shared.video  # noqa: F401
from shared.video.stills.image import accepted_formats

SIDE = 64
"""Width and height of the tiny clip, in pixels."""


def decode_tiny_clip() -> None:
    """Encode and decode one frame of H.264, without threads that a copy would lack."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, width=SIDE, height=SIDE, pix_fmt="yuv420p")
        stream.thread_count = 1
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((SIDE * 3 // 2, SIDE), np.uint8), "yuv420p")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as clip:
        clip.streams.video[0].thread_count = 1
        for frame in clip.decode(video=0):
            frame.to_ndarray(format="rgb24")


Image.init()
accepted_formats()
decode_tiny_clip()
