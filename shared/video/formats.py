"""Video containers and decoders that are allowed for uploads."""

from functools import cache

import av

from shared.media.types import DEMUXERS, IMAGES, QUICKTIME, WEBM, FileType

# Decoders that uploads may use. Rare decoders are left out on purpose: most crashes are in them.
_VIDEO_DECODERS = """
    h264 hevc vp8 vp9 libvpx libvpx-vp9 av1 libdav1d libaom-av1 mpeg4 mpeg1video mpeg2video mjpeg prores dnxhd ffv1 png qtrle theora
    wmv1 wmv2 wmv3 vc1 h263 flv rawvideo msmpeg4 msmpeg4v1 msmpeg4v2 huffyuv ffvhuff utvideo cfhd v210 gif apng dvvideo cinepak svq1 svq3
"""
_AUDIO_DECODERS = """
    aac aac_latm mp3 mp3float mp2 mp2float mp1 mp1float ac3 eac3 opus libopus vorbis libvorbis flac alac wmav1 wmav2 dca truehd
    amrnb amrwb libopencore_amrnb libopencore_amrwb adpcm_ms adpcm_ima_wav adpcm_ima_qt adpcm_swf nellymoser speex
"""
_DECODERS = frozenset((_VIDEO_DECODERS + _AUDIO_DECODERS).split())


def decoder_allowed(name: str) -> bool:
    """Return whether the FFmpeg decoder `name` is allowed for uploads."""
    return name in _DECODERS or name.startswith("pcm_")


@cache
def allowed_decoders() -> str:
    """Return this FFmpeg build's allowed decoders, separated by commas."""
    return ",".join(sorted(name for name in av.codecs_available if decoder_allowed(name)))


def video_type(demuxer: str, head: bytes) -> FileType:
    """Return the media type and suffix of a video file.

    `demuxer`: FFmpeg's name; `head`: the file's first bytes.
    """
    name = demuxer.partition(",")[0]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return IMAGES["WEBP"]
    if name == "mov" and (head[4:8] != b"ftyp" or head[8:12] == b"qt  "):
        return QUICKTIME
    if name == "matroska" and b"webm" in head[:64]:
        return WEBM
    return DEMUXERS[name]
